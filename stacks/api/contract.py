"""The API's contract: the OpenAPI document that the Lambda serves, as API Gateway enforces it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from stacks.errors import MissingAssetError


@dataclass(frozen=True)
class ApiContract:
    """What API Gateway enforces of an OpenAPI document."""

    document: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file. Raises MissingAssetError: there is none."""
        if not path.is_file():
            raise MissingAssetError(str(path), "run `make contract`, which writes it")
        return cls(json.loads(path.read_text(encoding="utf-8")))

    @property
    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Path, HTTP method and operation, sorted."""
        for path, methods in sorted(self.document["paths"].items()):
            for method, operation in sorted(methods.items()):
                yield path, method.upper(), operation

    def body_model(self, operation: dict[str, Any]) -> str | None:
        """Return the name of the schema that an operation's body has to fit; None for one without a body."""
        if "requestBody" not in operation:
            return None
        reference: str = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        return reference.rpartition("/")[2]

    def schema(self, name: str) -> dict[str, Any]:
        """Return a schema as API Gateway takes it, in draft 4; those of requests use only what can be told in it."""
        schema: dict[str, Any] = _draft_4(self.document["components"]["schemas"][name])
        return {"$schema": "http://json-schema.org/draft-04/schema#", **schema}

    def problem_type(self, code: str) -> dict[str, Any]:
        """Return the kind of error with this code: `type`, `title`, `status`, `meaning`, maybe `retryAfter`."""
        kinds: list[dict[str, Any]] = self.document["x-problem-types"]
        return next(kind for kind in kinds if kind["code"] == code)

    @property
    def body_rule(self) -> str:
        """The request's form and limits, for the answer to a body that breaks them."""
        fields = self.schema("PredictionRequest")["properties"]
        text, texts = fields["inputs"]["oneOf"]
        top_k = fields["parameters"]["properties"]["top_k"]
        return (
            f'Expected {{"inputs": "a text"}} or {{"inputs": ["a text", "another"]}}: a text of {text["minLength"]} to '
            f"{text['maxLength']} characters, or a list of {texts['minItems']} to {texts['maxItems']} such texts. "
            f'Optional: {{"parameters": {{"top_k": 3, "truncation": true}}}}, where top_k is {top_k["minimum"]} to '
            f"{top_k['maximum']}, or null for all classes. Other keys, such as text, instances and options, are not "
            "taken."
        )


def _draft_4(value: Any) -> Any:
    """Return an OpenAPI schema with lists of types instead of `nullable`, which API Gateway does not know."""
    if isinstance(value, list):
        return [_draft_4(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {name: _draft_4(item) for name, item in value.items() if name != "nullable"}
    if value.get("nullable") is True:
        plain["type"] = [value["type"], "null"]
    return plain
