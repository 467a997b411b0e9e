"""Pages, filters and order of the List calls."""

from __future__ import annotations

from typing import Any

import pytest

from local.sagemaker.api.resources import page
from local.sagemaker.common.errors import InvalidRequestError

RECORDS = [
    {"Name": f"item-{number}", "Status": "Good" if number % 2 else "Bad", "CreationTime": 1000.0 + number}
    for number in range(25)
]


def listed(newest_first: bool = True, **params: Any) -> tuple[list[str], str | None]:
    found, token = page(list(RECORDS), params, "", newest_first=newest_first)
    return [record["Name"] for record in found], token.get("NextToken")


def test_pages_cover_everything_once() -> None:
    """Following NextToken gives every item exactly once, ten at a time unless asked otherwise."""
    seen, token = listed()
    assert len(seen) == 10
    while token:
        more, token = listed(NextToken=token)
        seen += more
    assert sorted(seen) == sorted(record["Name"] for record in RECORDS)


def test_page_size() -> None:
    """MaxResults limits the page."""
    names, token = listed(MaxResults=3)
    assert len(names) == 3
    assert token


def test_default_order_is_given_by_the_call() -> None:
    """Without SortOrder the newest come first or last, as the call documents."""
    assert listed()[0][0] == "item-24"
    assert listed(newest_first=False)[0][0] == "item-0"


def test_order_of_the_request_wins() -> None:
    """SortBy and SortOrder decide."""
    assert listed(SortBy="Name", SortOrder="Ascending")[0][:3] == ["item-0", "item-1", "item-10"]
    assert listed(SortOrder="Descending", newest_first=False)[0][0] == "item-24"


def test_filters() -> None:
    """Name, status and time filters each narrow the list; bounds are exclusive."""
    assert listed(NameContains="EM-3")[0] == ["item-3"]
    assert listed(StatusEquals="Good", MaxResults=100)[0][:2] == ["item-23", "item-21"]
    assert listed(CreationTimeAfter=1022.0)[0] == ["item-24", "item-23"]
    assert listed(CreationTimeBefore="1970-01-01T00:16:41Z")[0] == ["item-0"]


def test_broken_token() -> None:
    """An invalid token is refused."""
    with pytest.raises(InvalidRequestError):
        listed(NextToken="garbage")
