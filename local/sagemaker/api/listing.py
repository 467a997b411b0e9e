"""Filters, order and pages of the List calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.utils import parse_to_aware_datetime

from local.sagemaker.common.errors import InvalidRequestError
from local.sagemaker.state.store import Record

_TIMES = ("CreationTime", "LastModifiedTime")
_TOKEN = "from:{}"
_DEFAULT_PAGE = 10
_MAX_PAGE = 100


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
        start = int(params.get("NextToken", _TOKEN.format(0)).removeprefix(_TOKEN.format("")))
    except ValueError as error:
        raise InvalidRequestError("Invalid pagination token.") from error
    end = start + min(params.get("MaxResults", _DEFAULT_PAGE), _MAX_PAGE)
    return kept[start:end], {"NextToken": _TOKEN.format(end)} if end < len(kept) else {}


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
