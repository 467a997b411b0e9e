"""Addresses that a data source must not lead to."""

from __future__ import annotations

import pytest

from ingest.addresses import refuse_internal
from shared.errors import InvalidExecutionInputError


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://169.254.170.2/v2/credentials",
        "https://169.254.169.254:8443/",
        "http://2852039166/",
        "http://0xA9FEA9FE/",
        "http://0251.0376.0251.0376/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fe80::1]/",
        "http://[fe80::1%25lo]/",
        "http://[fd00:ec2::254]/latest",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://224.0.0.1/",
    ],
)
def test_internal_addresses_are_refused(url):
    """Link-local, metadata, multicast and unspecified addresses are refused in every notation."""
    with pytest.raises(InvalidExecutionInputError) as caught:
        refuse_internal(url)
    assert caught.value.field == "data_source"


def test_name_that_resolves_to_an_internal_address():
    """What counts is the address behind a name, if only one of several."""
    with pytest.raises(InvalidExecutionInputError, match=r"innocent\.example \(169\.254\.169\.254\)"):
        refuse_internal("https://innocent.example/x", lambda host, port: ["203.0.113.5", "169.254.169.254"])


def test_runtime_api_is_refused():
    """Lambda's own runtime API is on the loopback: that port is refused, others are not."""
    with pytest.raises(InvalidExecutionInputError):
        refuse_internal("http://127.0.0.1:9001/2018-06-01", runtime_api="127.0.0.1:9001")
    assert refuse_internal("http://127.0.0.1:9002/data", runtime_api="127.0.0.1:9001") is None


@pytest.mark.parametrize("addresses", [["203.0.113.5"], ["2001:db8::1"], ["10.1.2.3"], []])
def test_other_addresses_pass(addresses):
    """Public and private addresses pass, and a name that does not resolve is left to the request to report."""
    assert refuse_internal("https://data.example/x", lambda host, port: addresses) is None
