"""Classify one text through the REST API."""

from __future__ import annotations

import json

from operations import command
from operations.api_client import api_client
from operations.deployment import connect


def main() -> int:
    """Print the API's answer to the text given on the command line."""
    parser = command.parser(__doc__)
    parser.add_argument("text", help="the text to classify")
    arguments = parser.parse_args()
    with api_client(connect(arguments.env)) as client:
        prediction = client.score(arguments.text)
    command.say(json.dumps(prediction.as_dict(), indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    command.run(main)
