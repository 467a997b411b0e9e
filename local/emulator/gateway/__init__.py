"""API Gateway, and the errors of the Lambda functions behind it."""
