"""Refuses data sources that lead to anything but the public internet.

Anybody who may start an execution can make this function request an address. Without a check, they could reach services
that answer only from inside: the metadata service with its credentials, Lambda's runtime API, a private network.
"""

import functools
import ipaddress
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection, port_by_scheme
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from shared.errors import InvalidExecutionInputError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Iterable[str]]

_AWS_LOCAL_SERVICES = ipaddress.ip_network("fd00:ec2::/32")
"""The IPv6 twins of 169.254.169.254 and its neighbours (metadata, credentials, DNS, time)."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""Addresses of a gateway to IPv4 (RFC 6052): the last 32 bits are the address that it connects to."""


def resolve(host: str, port: int) -> list[str]:
    """Return all addresses of a host, or none for an unknown one. Understands every notation that connecting does."""
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (socket.gaierror, UnicodeError):
        return []


@dataclass(frozen=True)
class AddressRule:
    """Which addresses may be connected to."""

    internal: bool = False
    """Whether private and loopback addresses are allowed too. Link-local ones never are: metadata lies there."""
    resolver: Resolver = resolve
    """Returns the addresses of a host and port."""
    runtime_api: str | None = None
    """Host and port of Lambda's runtime API, by default those of `AWS_LAMBDA_RUNTIME_API`. Never allowed."""

    def addresses(self, host: str, port: int) -> list[str]:
        """Return a host's addresses, none for an unknown host; raise InvalidExecutionInputError for a forbidden one."""
        found = list(self.resolver(host.strip("[]"), port))
        runtime = os.environ.get("AWS_LAMBDA_RUNTIME_API", "") if self.runtime_api is None else self.runtime_api
        for text in found:
            address = ipaddress.ip_address(text.partition("%")[0])
            reached = _embedded(address)
            if not all(self._allows(each) for each in reached) or f"{reached[-1]}:{port}" == runtime:
                kind = "a special address" if self.internal else "an address that is not public"
                raise InvalidExecutionInputError("data_source", f"leads to {host} ({address}), {kind}", "a public host")
        return found

    def _allows(self, address: Address) -> bool:
        if address.is_link_local or address.is_multicast or address.is_unspecified or address in _AWS_LOCAL_SERVICES:
            return False
        outdated = address.is_reserved or getattr(address, "is_site_local", False)  # not global, whatever Python says
        return self.internal or (address.is_global and not outdated)


def _embedded(address: Address) -> list[Address]:
    """Return the IPv4 addresses at which a connection to this address ends, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    inside = address.ipv4_mapped or address.sixtofour
    return [inside] if inside else list(address.teredo or [address])


class GuardedAdapter(HTTPAdapter):
    """Connects to addresses that a rule allows, and to no other: what was checked is what is connected to.

    A check of the address before the request would not do, because a name may resolve to another one a moment later.
    Behind a proxy, which resolves names itself, that check is all that is possible.
    """

    def __init__(self, rule: AddressRule) -> None:
        self._rule = rule
        super().__init__()

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the connections to the host of a request, with the guard."""
        pool: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
        if select_proxy(str(request.url), proxies):
            url = urlsplit(str(request.url))
            self._rule.addresses(url.hostname or "", url.port or port_by_scheme[url.scheme])
        else:
            kind = _GuardedSecure if pool.scheme == "https" else _Guarded
            pool.ConnectionCls = functools.partial(kind, self._rule)
        return pool


class _Guarded(HTTPConnection):
    def __init__(self, rule: AddressRule, **options: Any) -> None:
        self._rule = rule
        super().__init__(**options)

    def _new_conn(self) -> socket.socket:
        """Connect to the first address of the host that answers, as urllib3 does."""
        name = self._dns_host
        failure: ConnectTimeoutError = NewConnectionError(self, f"{name} has no address")
        for address in self._rule.addresses(name, self.port or self.default_port):
            # The name stays what TLS asks for.
            self._dns_host = address
            try:
                return super()._new_conn()
            except ConnectTimeoutError as error:  # refused ones are of this kind too
                failure = error
            finally:
                self._dns_host = name
        raise failure


class _GuardedSecure(_Guarded, HTTPSConnection):
    pass
