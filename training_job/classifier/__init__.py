"""The text classifier: prepare the data, train, evaluate, export.

This file imports nothing, so that a Lambda function can take single modules of the package without torch or pandas.
"""
