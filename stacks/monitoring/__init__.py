"""Dashboard, alarms, drift check and budget."""
