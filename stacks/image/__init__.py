"""The slim serving image, built during the deployment."""
