"""The API's contract: the OpenAPI document that the Lambda serves, as API Gateway enforces it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.errors import MissingAssetError


@dataclass(frozen=True)
class ApiContract:
    """What API Gateway enforces of an OpenAPI document."""

    document: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> ApiContract:
        """Read the file.

        Raises:
            MissingAssetError: there is none.
        """
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
        """Return a schema as API Gateway takes it; those of requests use only what OpenAPI shares with draft 4."""
        schema: dict[str, Any] = self.document["components"]["schemas"][name]
        return {"$schema": "http://json-schema.org/draft-04/schema#", **schema}

    def problem_type(self, code: str) -> dict[str, Any]:
        """Return the kind of error with this code: `type`, `title`, `status`, `meaning`, maybe `retryAfter`."""
        kinds: list[dict[str, Any]] = self.document["x-problem-types"]
        return next(kind for kind in kinds if kind["code"] == code)

    @property
    def body_rule(self) -> str:
        """The request's limits in a sentence, for the answer to a body that breaks them."""
        text, texts = self.schema("PredictionRequest")["properties"]["inputs"]["oneOf"]
        return (
            f"Send JSON with `inputs`: a text of {text['minLength']} to {text['maxLength']} characters, or a list of "
            f"{texts['minItems']} to {texts['maxItems']} such texts."
        )
