"""Refuses data sources that lead into the machine that downloads them.

Anybody who may start an execution can make this function request an address. Without a check, they could reach services
that answer only from inside: the metadata service with its credentials, or Lambda's runtime API.
"""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from shared.errors import InvalidExecutionInputError

_AWS_LOCAL_SERVICES = ipaddress.ip_network("fd00:ec2::/32")
"""The IPv6 twins of 169.254.169.254 and its neighbours (metadata, credentials, DNS, time)."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Iterable[str]]


def resolve(host: str, port: int) -> list[str]:
    """Return all addresses of a host, or none for an unknown one. Understands every notation that connecting does."""
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (socket.gaierror, UnicodeError):
        return []


def refuse_internal(url: str, resolver: Resolver = resolve, runtime_api: str | None = None) -> None:
    """Refuse a URL that leads to a link-local, metadata, multicast or unspecified address, or to the runtime API.

    It is checked before each request, also of every target of a redirect. `runtime_api` is host and port of Lambda's
    runtime API, by default those of `AWS_LAMBDA_RUNTIME_API`. Raises InvalidExecutionInputError.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    runtime = runtime_api if runtime_api is not None else os.environ.get("AWS_LAMBDA_RUNTIME_API", "")
    if "%" in host:  # a zone or an encoded character, which only some readers of a URL decode
        raise InvalidExecutionInputError("data_source", f"leads to {host}", "a host without %")
    for text in resolver(host, port):
        address = ipaddress.ip_address(text.partition("%")[0])
        if _internal(address) or f"{address}:{port}" == runtime:
            raise InvalidExecutionInputError(
                "data_source",
                f"leads to {host} ({address}), an address inside this function's own machine",
                "a host outside of it",
            )


def _internal(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            address = address.ipv4_mapped
        elif address in _AWS_LOCAL_SERVICES:
            return True
    return address.is_link_local or address.is_multicast or address.is_unspecified
