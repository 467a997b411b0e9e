"""boto3 clients that call the local cloud's own endpoint.

What the emulator does in someone's name (a state machine for its role, CloudFormation for its service role, a training
job for its execution role) goes through the front door with that principal's credentials, so that policies bind
there as they do for everybody else.
"""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config

from local.emulator.access.identity import Credentials

_CONFIG = Config(
    s3={"addressing_style": "path"},
    retries={"max_attempts": 2},
    connect_timeout=5,
    read_timeout=120,
    max_pool_connections=20,
    # The server would otherwise follow a proxy meant for the outside world.
    proxies={},
)

_CLIENTS_KEPT = 64


class FrontDoor:
    """Makes clients for the endpoint of this server. Thread-safe.

    Never call a client from the event loop: the server could not answer it.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._session = boto3.session.Session()
        self._lock = threading.Lock()  # making clients is the one thing of boto3 that is not thread-safe
        self._clients: dict[tuple[str, str, str], Any] = {}

    def client(self, service: str, credentials: Credentials, region: str) -> Any:
        """A boto3 client for `service` signing with `credentials`."""
        wanted = (service, credentials.access_key_id, region)
        with self._lock:
            if wanted not in self._clients:
                if len(self._clients) >= _CLIENTS_KEPT:
                    self._clients.clear()
                self._clients[wanted] = self._session.client(
                    service,
                    region_name=region,
                    endpoint_url=self._endpoint_url,
                    aws_access_key_id=credentials.access_key_id,
                    aws_secret_access_key=credentials.secret_access_key,
                    aws_session_token=credentials.session_token or None,
                    config=_CONFIG,
                )
            return self._clients[wanted]
