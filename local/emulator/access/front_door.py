"""boto3 clients that call the local cloud's own endpoint.

The emulator acts for others: for a state machine's role, a stack's service role, a training job's execution role.
These calls go to the server's own port with the principal's credentials, so that policies apply to them as to any
other call.
"""

import os
import threading
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from ministack.core.responses import get_region

from local.emulator.access.identity import Credentials

_CONFIG = Config(
    s3={"addressing_style": "path"},
    retries={"max_attempts": 2},
    connect_timeout=5,
    read_timeout=120,
    max_pool_connections=20,
    # The server would otherwise use a proxy that is meant for the internet.
    proxies={},
)
_CLIENTS_KEPT = 64

_session = boto3.session.Session()  # one for all: it keeps the services' models
_lock = threading.Lock()  # boto3 clients are thread-safe; making them is not


def client(service: str, credentials: Credentials, region: str = "") -> Any:
    """Return a boto3 client that signs with `credentials`; by default for the region of the request at hand.

    Never call a client from the event loop: the server could not answer it.
    """
    with _lock:
        return _client(service, credentials, region or get_region())


@lru_cache(maxsize=_CLIENTS_KEPT)
def _client(service: str, credentials: Credentials, region: str) -> Any:
    return _session.client(
        service,
        region_name=region,
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token or None,
        config=_CONFIG,
    )
