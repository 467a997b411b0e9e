"""API Gateway and what Lambda answers to it."""
