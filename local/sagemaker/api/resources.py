"""The calls that every kind of resource answers alike, and the pages of their lists."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from botocore.model import ListShape, Shape
from botocore.utils import parse_to_aware_datetime

from local.sagemaker.api.validation import service_model
from local.sagemaker.common.errors import InvalidRequestError, ServiceError
from local.sagemaker.common.names import Key, Scope, last_part
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record

_TIMES = ("CreationTime", "LastModifiedTime")
_DEFAULT_PAGE = 10
_MAX_PAGE = 100

Handler = Callable[[Scope, Mapping[str, Any]], dict[str, Any]]
"""Takes the scope and the members of a request, and returns the members of the answer."""


class Resources:
    """One kind of resource: create, describe, list and delete.

    botocore's model of the service says which members of a record the Describe and List calls show.
    """

    kind: ClassVar[str]
    """Kind of the stored records, e.g. `endpoint-config`; also the first part of the resource in the ARN."""
    noun: ClassVar[str]
    """The API's word in actions and members, e.g. `EndpointConfig`."""
    newest_first: ClassVar[bool] = True
    """Order of the List answer where the request names none."""
    missing: ClassVar[str]
    """AWS's message about an unknown name; `{arn}` stands for the ARN."""
    taken: ClassVar[str]
    """AWS's message about a name that exists already."""
    taken_code: ClassVar[str] = "ValidationException"
    """AWS's error code for it."""
    defaults: ClassVar[Mapping[str, Any]] = {}
    """Members of a new record that the Create call may leave out, or lacks."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each action."""
        return {
            f"Create{self.noun}": self.create,
            f"Describe{self.noun}": self.describe,
            f"List{self.noun}s": self.list_all,
            f"Delete{self.noun}": self.delete,
        }

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the Create call."""
        self._check(scope, params)
        return self._add(self.key(scope, params), {**self.defaults, **params})

    def _check(self, scope: Scope, params: Mapping[str, Any]) -> None:
        """Raise InvalidRequestError for a Create call that botocore's model allows and the service does not."""

    def describe(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the Describe call."""
        return pick(self.get(self.key(scope, params)), *answer_members(f"Describe{self.noun}"))

    def list_all(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the List call."""
        answer = answer_members(f"List{self.noun}s").items()
        (result, entry), *_ = [(name, shape.member) for name, shape in answer if isinstance(shape, ListShape)]
        found, token = page(self._listed(scope, params), params, self.noun, newest_first=self.newest_first)
        return {result: [pick(record, *entry.members) for record in found], **token}

    def delete(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the Delete call."""
        key = self.key(scope, params)
        with self._store.lock:
            self.get(key)
            self._store.delete(key)
            self._context.tags.forget(key)
        return {}

    def key(self, scope: Scope, params: Mapping[str, Any]) -> Key:
        """Return the key of the resource that a request names, by name or ARN."""
        return Key(self.kind, scope, last_part(params[f"{self.noun}Name"]))

    def get(self, key: Key) -> Record:
        """Return a record. Raises InvalidRequestError if it does not exist."""
        record = self._store.get(key)
        if record is None:
            raise InvalidRequestError(self.missing.format(arn=key.arn))
        return record

    def named(self, scope: Scope, name: str) -> Record:
        """Return the record of a name. Raises InvalidRequestError if it does not exist."""
        return self.get(Key(self.kind, scope, name))

    def _add(self, key: Key, params: Mapping[str, Any], **members: Any) -> dict[str, Any]:
        """Store the record of a new resource and its tags; return the answer to the Create call."""
        record = {
            **{member: value for member, value in params.items() if member not in ("Tags", "ClientToken")},
            f"{self.noun}Arn": key.arn,
            "CreationTime": time.time(),
            **members,
        }
        with self._store.lock:
            if self._store.get(key) is not None:
                raise ServiceError(self.taken_code, self.taken.format(arn=key.arn))
            self._store.put(key, record)
            self._context.tags.put(key, params.get("Tags", []))
        return {f"{self.noun}Arn": key.arn}

    def _listed(self, scope: Scope, params: Mapping[str, Any]) -> list[Record]:
        """Return the records that the List call starts from."""
        return [record for _, record in self._store.all(self.kind, scope)]


def answer_members(action: str) -> Mapping[str, Shape]:
    """Return the members that the service model gives the answer to `action`."""
    shape = service_model().operation_model(action).output_shape
    assert shape is not None
    members: Mapping[str, Shape] = shape.members
    return members


def page(
    records: Sequence[Record], params: Mapping[str, Any], noun: str, *, newest_first: bool = True
) -> tuple[list[Record], dict[str, str]]:
    """Return the records of one page of a List call, and the NextToken if there are more.

    `noun` begins the members that hold name and status (`<noun>Name`, `<noun>Status`). AWS documents call by call
    whether the newest records come first where the request names no order.
    """
    name, status = f"{noun}Name", f"{noun}Status"
    kept = [record for record in records if _keeps(record, params, record[name], record.get(status))]
    by = {"Name": name, "Status": status}.get(params.get("SortBy", ""), "CreationTime")
    # The name breaks ties, so that pages never overlap.
    order = params.get("SortOrder", "Descending" if newest_first else "Ascending")
    kept.sort(key=lambda record: (record.get(by, 0), record[name]), reverse=order == "Descending")
    try:
        start = int(params.get("NextToken", "0"))
    except ValueError as error:
        raise InvalidRequestError("Invalid pagination token.") from error
    end = start + min(params.get("MaxResults", _DEFAULT_PAGE), _MAX_PAGE)
    return kept[start:end], {"NextToken": str(end)} if end < len(kept) else {}


def pick(record: Mapping[str, Any], *members: str) -> Record:
    """Return the named members that the record has."""
    return {member: record[member] for member in members if member in record}


def _keeps(record: Record, params: Mapping[str, Any], name: str, status: str | None) -> bool:
    if params.get("NameContains", "").lower() not in name.lower():
        return False
    if params.get("StatusEquals", status) != status:
        return False
    return all(
        sign * (record[member] - parse_to_aware_datetime(params[f"{member}{word}"]).timestamp()) > 0
        for member in _TIMES
        for word, sign in (("After", 1), ("Before", -1))
        if f"{member}{word}" in params
    )
