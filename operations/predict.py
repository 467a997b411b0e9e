"""Classify one text through the REST API."""

from __future__ import annotations

import json

from operations import command
from operations.api_client import ApiClient
from operations.deployment import connect


def main() -> int:
    """Print the API's answer to the text given on the command line."""
    parser = command.parser(__doc__)
    parser.add_argument("text", help="the text to classify")
    arguments = parser.parse_args()
    answer = ApiClient(connect(arguments.env)).predict(arguments.text)
    command.say(json.dumps(answer, indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    command.run(main)
