"""Tags of resources, stored by ARN."""

from collections.abc import Mapping, Sequence
from typing import Any

from local.sagemaker.common.errors import InvalidRequestError
from local.sagemaker.common.names import Key, Scope
from local.sagemaker.state.store import Store

_KIND = "tags"
_MAX_TAGS = 50


class Tags:
    """AddTags, ListTags and DeleteTags, and the tags given when a resource is created."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, key: Key) -> dict[str, str]:
        """Return the tags of a resource."""
        return self._store.get(_tags_key(key)) or {}

    def put(self, key: Key, tags: Sequence[Mapping[str, str]]) -> None:
        """Add tags in the form of the API (`[{"Key", "Value"}]`)."""
        with self._store.lock:
            merged = self.of(key) | {tag["Key"]: tag["Value"] for tag in tags}
            if len(merged) > _MAX_TAGS:
                raise InvalidRequestError(f"Too many tags on {key.arn}: at most {_MAX_TAGS}.")
            if merged:
                self._store.put(_tags_key(key), merged)

    def forget(self, key: Key) -> None:
        """Drop the tags of a deleted resource."""
        self._store.delete(_tags_key(key))

    def add_tags(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer AddTags."""
        self.put(self._resource(scope, params), params["Tags"])
        return self.list_tags(scope, params)

    def list_tags(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer ListTags with all tags, in one page."""
        tags = self.of(self._resource(scope, params))
        return {"Tags": [{"Key": name, "Value": value} for name, value in sorted(tags.items())]}

    def delete_tags(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer DeleteTags. Unknown keys are ignored."""
        key = self._resource(scope, params)
        with self._store.lock:
            kept = {name: value for name, value in self.of(key).items() if name not in params["TagKeys"]}
            self._store.put(_tags_key(key), kept)
        return {}

    def _resource(self, scope: Scope, params: Mapping[str, Any]) -> Key:
        arn = params["ResourceArn"]
        kind, _, name = arn.split(":", 5)[-1].partition("/")
        key = Key(kind, scope, name)
        if kind == _KIND or arn != key.arn or self._store.get(key) is None:
            raise InvalidRequestError(f'Could not find resource "{arn}" in this account and region.')
        return key


def _tags_key(key: Key) -> Key:
    return Key(_KIND, key.scope, key.arn)
