"""Custom resource that builds the slim serving image while its stack is deployed."""
