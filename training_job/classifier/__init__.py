"""The text classifier: collect, prepare, train, evaluate, export.

Imports nothing, so that a Lambda function can take single modules of this package without torch or pandas.
"""
