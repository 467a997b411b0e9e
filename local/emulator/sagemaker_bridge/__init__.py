"""The SageMaker service inside ministack."""
