"""The custom resource behind the slim serving image: builds it while the stack is deployed."""
