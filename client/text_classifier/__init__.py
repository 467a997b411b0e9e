"""Client of the text classifier's REST API.

    from text_classifier import Client

    with Client("https://….amazonaws.com/live", api_key="…") as client:
        print(client.score("The zoom is sharp up to 200 mm, then it gets soft.").label)

On the command line: `text-classifier --help`.
"""

from text_classifier.batching import Limits
from text_classifier.client import Client
from text_classifier.errors import (
    ApiError,
    BadAnswerError,
    FileError,
    RequestRefusedError,
    TextClassifierError,
    TextRefusedError,
    UnavailableError,
    UnreachableError,
    UsageError,
)
from text_classifier.results import Outcome, Prediction, Refusal, Score
from text_classifier.transport import RetryPolicy

__all__ = [
    "ApiError",
    "BadAnswerError",
    "Client",
    "FileError",
    "Limits",
    "Outcome",
    "Prediction",
    "Refusal",
    "RequestRefusedError",
    "RetryPolicy",
    "Score",
    "TextClassifierError",
    "TextRefusedError",
    "UnavailableError",
    "UnreachableError",
    "UsageError",
]
