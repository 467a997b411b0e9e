"""The REST API: checks a request, asks the SageMaker endpoint and returns its answer."""
