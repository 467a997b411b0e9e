"""Tags of resources, kept by ARN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.sagemaker.common.errors import ValidationException
from local.sagemaker.common.scope import Scope, last_part
from local.sagemaker.state.store import Store

_KIND = "tags"
_MAX_TAGS = 50
_KINDS_BY_ARN = {
    "training-job": "training-job",
    "transform-job": "transform-job",
    "model": "model",
    "endpoint-config": "endpoint-config",
    "endpoint": "endpoint",
    "model-package-group": "model-package-group",
    "model-package": "model-package",
}


class Tags:
    """AddTags, ListTags, DeleteTags, and the tags given when a resource is made."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, scope: Scope, arn: str) -> dict[str, str]:
        """The tags of a resource."""
        return dict((self._store.get(_KIND, scope, arn) or {}).items())

    def put(self, scope: Scope, arn: str, tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
        """Add tags in the form of the API (``[{"Key", "Value"}]``); returns all of them."""
        with self._store.lock:
            merged = self.of(scope, arn) | {tag["Key"]: tag["Value"] for tag in tags}
            if len(merged) > _MAX_TAGS:
                raise ValidationException(f"Too many tags on {arn}: at most {_MAX_TAGS}.")
            if merged:
                self._store.put(_KIND, scope, arn, merged)
            return merged

    def forget(self, scope: Scope, arn: str) -> None:
        """Drop the tags of a deleted resource."""
        self._store.delete(_KIND, scope, arn)

    def add_tags(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """AddTags."""
        self._require_resource(scope, params["ResourceArn"])
        return {"Tags": _listed(self.put(scope, params["ResourceArn"], params["Tags"]))}

    def list_tags(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListTags: at most 50 exist, so all of them."""
        self._require_resource(scope, params["ResourceArn"])
        return {"Tags": _listed(self.of(scope, params["ResourceArn"]))}

    def delete_tags(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteTags; keys that are not there are fine."""
        arn = params["ResourceArn"]
        self._require_resource(scope, arn)
        with self._store.lock:
            kept = {key: value for key, value in self.of(scope, arn).items() if key not in params["TagKeys"]}
            self._store.put(_KIND, scope, arn, kept)
        return {}

    def _require_resource(self, scope: Scope, arn: str) -> None:
        kind = _KINDS_BY_ARN.get(arn.split(":", 5)[-1].partition("/")[0])
        if kind is None or arn != scope.arn(f"{kind}/{last_part(arn)}"):
            raise ValidationException(f'Could not find resource "{arn}" in this account and region.')
        if self._store.get(kind, scope, last_part(arn)) is None:
            raise ValidationException(f'Could not find resource "{arn}".')


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
