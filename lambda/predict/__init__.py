"""The REST front of the model: checks a request, asks the SageMaker endpoint, answers in the API's form."""
