"""Addresses that a data source must not lead to."""

from __future__ import annotations

import contextlib
import socket

import pytest
from requests import Session
from requests.exceptions import SSLError

from ingest.addresses import AddressRule, GuardedAdapter
from shared.errors import InvalidExecutionInputError

SPECIAL = [
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "0xA9FEA9FE",
    "0251.0376.0251.0376",
    "::ffff:169.254.169.254",
    "fe80::1",
    "fe80::1%lo",
    "fd00:ec2::254",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
]
PRIVATE = [
    "127.0.0.1",
    "127.0.0.2",
    "2130706433",
    "127.1",
    "localhost",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "192.0.0.170",
    "240.0.0.1",
    "255.255.255.255",
    "fc00::1",
    "fec0::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::1",
    "2002:a01:203::1",
    "2001:0:7f00:1::",  # a Teredo server on the loopback
    "2001:0:808:808:0:0:80ff:fffe",  # a Teredo client at 127.0.0.1
]
PUBLIC = ["8.8.8.8", "2600:9000::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]


@pytest.mark.parametrize("internal", [False, True])
@pytest.mark.parametrize("host", SPECIAL)
def test_special_addresses_are_always_refused(host, internal):
    """Link-local, metadata, multicast and unspecified addresses are refused in every notation."""
    with pytest.raises(InvalidExecutionInputError) as caught:
        AddressRule(internal=internal).addresses(host, 80)
    assert caught.value.field == "data_source"


@pytest.mark.parametrize("host", PRIVATE)
def test_only_global_addresses(host):
    """Whatever is not public is refused, also inside an IPv6 address that leads to IPv4."""
    with pytest.raises(InvalidExecutionInputError, match="not public"):
        AddressRule().addresses(host, 80)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address):
    """Public addresses pass, in each notation that leads to one."""
    assert AddressRule(resolver=lambda host, port: [address]).addresses("data.example", 443) == [address]


def test_unknown_name_is_left_to_the_request():
    """A name without an address is not a refusal: the request reports it."""
    assert AddressRule(resolver=lambda host, port: []).addresses("nowhere.example", 443) == []


def test_the_exception_for_a_laptop():
    """Where internal sources are allowed, the loopback and private networks are."""
    assert AddressRule(internal=True).addresses("127.0.0.1", 80) == ["127.0.0.1"]


def test_name_that_resolves_to_an_internal_address():
    """What counts is the address behind a name, if only one of several."""
    rule = AddressRule(resolver=lambda host, port: ["8.8.8.8", "169.254.169.254"])
    with pytest.raises(InvalidExecutionInputError, match=r"innocent\.example \(169\.254\.169\.254\)"):
        rule.addresses("innocent.example", 443)


def test_runtime_api_is_refused():
    """Lambda's own runtime API is on the loopback: that port is refused, others are not."""
    rule = AddressRule(internal=True, runtime_api="127.0.0.1:9001")
    with pytest.raises(InvalidExecutionInputError):
        rule.addresses("127.0.0.1", 9001)
    assert rule.addresses("127.0.0.1", 9002) == ["127.0.0.1"]


def test_a_name_is_resolved_once(site):
    """A name that resolves to a public address and then to a private one is connected at the first, or not at all."""
    site.serve("/train.json", b"secret")
    port = int(site.url.rpartition(":")[2])
    answers = iter([["203.0.113.5"], ["127.0.0.1"]])
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    # The rule allows documentation's addresses here, because no public one can be reached from a test.
    session = Session()
    session.mount("http://", GuardedAdapter(AddressRule(internal=True, resolver=resolver)))
    with pytest.raises(OSError, match=r"203\.0\.113\.5|timed out|unreachable|refused|rebinding"):
        session.get(f"http://rebinding.example:{port}/train.json", timeout=0.3)
    assert (asked, site.requested) == (["rebinding.example"], [])


def test_the_second_address_is_tried(site):
    """A host whose first address does not answer is reached at its second, under its own name."""
    site.serve("/train.json", b"rows")
    port = int(site.url.rpartition(":")[2])
    session = Session()
    rule = AddressRule(internal=True, resolver=lambda host, port: ["127.9.9.9", "127.0.0.1"])
    session.mount("http://", GuardedAdapter(rule))
    assert session.get(f"http://data.example:{port}/train.json", timeout=5).content == b"rows"


def test_a_silent_address_is_not_the_last_one_tried(site):
    """A host whose first address does not answer at all is reached at its second."""
    site.serve("/train.json", b"rows")
    port = int(site.url.rpartition(":")[2])
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.9.9.9", port))
        full.listen(0)
        for _ in range(3):  # a full queue: the next connection is neither taken nor refused
            other = waiting.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex(("127.9.9.9", port))
        session = Session()
        rule = AddressRule(internal=True, resolver=lambda host, port: ["127.9.9.9", "127.0.0.1"])
        session.mount("http://", GuardedAdapter(rule))
        assert session.get(f"http://data.example:{port}/train.json", timeout=0.5).content == b"rows"


@pytest.mark.parametrize("url", ["http://10.0.0.1/train.json", "https://10.0.0.1/train.json"])
def test_a_proxy_is_asked_for_public_addresses_only(site, url):
    """Behind a proxy, an address that is not public is refused before the proxy hears of it; others are its matter."""
    proxies = {"http": site.url, "https": site.url}
    session = Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, GuardedAdapter(AddressRule()))
    with pytest.raises(InvalidExecutionInputError, match="not public"):
        session.get(url, proxies=proxies, timeout=5)
    assert site.requested == []
    assert session.get("http://8.8.8.8/train.json", proxies=proxies, timeout=5).status_code == 404


def test_the_guard_is_on_encrypted_connections(site):
    """An https address is connected to as the rule resolves it, which ends here because the host speaks no TLS."""
    port = int(site.url.rpartition(":")[2])
    asked = []

    def resolver(host, port):
        asked.append(host)
        return ["127.0.0.1"]

    session = Session()
    session.mount("https://", GuardedAdapter(AddressRule(internal=True, resolver=resolver)))
    with pytest.raises(SSLError):
        session.get(f"https://data.example:{port}/train.json", timeout=5)
    assert asked == ["data.example"]
