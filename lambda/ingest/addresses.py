"""Keeps a data source from leading into the machine that downloads it.

Whoever may start an execution names an address that this function then requests. Without a check, that would be a way
to ask the services that answer only from inside: the metadata service with its credentials, or Lambda's runtime API.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from ingest.errors import InvalidExecutionInput

_AWS_LOCAL_SERVICES = ipaddress.ip_network("fd00:ec2::/32")
"""The IPv6 twins of 169.254.169.254 and its neighbours (metadata, credentials, DNS, time)."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Iterable[str]]


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, as numbers; none if it is not known. Understands every notation that connecting does."""
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (socket.gaierror, UnicodeError):
        return []


def refuse_internal(url: str, resolver: Resolver = resolve, runtime_api: str | None = None) -> None:
    """Raises if ``url`` leads to a link-local, metadata, multicast or unspecified address, or to the runtime API.

    Args:
        url: an http(s) address that is about to be requested; also called for the target of every redirect.
        resolver: host and port to addresses.
        runtime_api: host and port of Lambda's runtime API; from ``AWS_LAMBDA_RUNTIME_API`` if not given.

    Raises:
        InvalidExecutionInput: naming the address.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    runtime = runtime_api if runtime_api is not None else os.environ.get("AWS_LAMBDA_RUNTIME_API", "")
    if "%" in host:  # a zone or an encoded character, which the one reader of a URL decodes and the other does not
        raise InvalidExecutionInput("data_source", f"leads to {host}", "a host without %")
    for text in resolver(host, port):
        address = ipaddress.ip_address(text.partition("%")[0])
        if _internal(address) or f"{address}:{port}" == runtime:
            raise InvalidExecutionInput(
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
