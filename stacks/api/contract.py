"""The API's contract, as API Gateway enforces it: the files that the Lambda serves and reads."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from stacks.errors import MissingAssetError


@dataclass(frozen=True)
class ApiContract:
    """What API Gateway enforces: an OpenAPI document, and the schema of a request's body in draft 4, as it takes it."""

    document: dict[str, Any]
    body_schema: dict[str, Any]

    @classmethod
    def read(cls, predict: Path) -> Self:
        """Read the files in the folder of the predict Lambda. Raises MissingAssetError: there is no document."""
        document = predict / "pages" / "openapi.json"
        if not document.is_file():
            raise MissingAssetError(str(document), "run `make contract`, which writes it")
        return cls(*(json.loads(path.read_text(encoding="utf-8")) for path in (document, predict / "schema.json")))

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

    def problem_type(self, code: str) -> dict[str, Any]:
        """Return the kind of error with this code: `type`, `title`, `status`, `meaning`, maybe `retryAfter`."""
        kinds: list[dict[str, Any]] = self.document["x-problem-types"]
        return next(kind for kind in kinds if kind["code"] == code)

    @property
    def limits(self) -> dict[str, int]:
        """Name → limit of a request, for the answers to one that breaks it."""
        fields = self.body_schema["properties"]
        text, texts = fields["inputs"]["oneOf"]
        top_k = fields["parameters"]["properties"]["top_k"]
        return {
            "body_bytes": self.document["x-limits"]["bodyBytes"],
            "text_min": text["minLength"],
            "text_max": text["maxLength"],
            "texts_min": texts["minItems"],
            "texts_max": texts["maxItems"],
            "top_k_min": top_k["minimum"],
            "top_k_max": top_k["maximum"],
        }
