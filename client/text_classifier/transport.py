"""Sends one request to the API, and repeats it while that may help. The only module that knows HTTP."""

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)
from urllib3.exceptions import InvalidHeader
from urllib3.util.retry import Retry

from text_classifier.addresses import checked_url, hint_about, no_answer
from text_classifier.errors import ApiError, RequestRefusedError, UnavailableError, UsageError
from text_classifier.results import bad_answer
from text_classifier.terminal import shown

MOST_IN_FLIGHT = 32
"""Requests at once, and connections kept open."""
WORTH_REPEATING = frozenset({429, 502, 503, 504})
TRY_LATER = "Try again later; fewer requests in flight reduce throttling."
TIMEOUT_SECONDS = (5.0, 35.0)
"""Time to connect, and to wait for the next bytes of an answer; API Gateway itself gives up after 29 s."""
LONG_WAIT_SECONDS = 5.0
"""Waits of this length or more are logged as warnings."""

log = logging.getLogger("text_classifier")


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often and how long one request is repeated, if that may help.

    The wait is the answer's Retry-After and up to a second more. Without one it is random, up to a limit that doubles
    each time, so that callers who failed together do not return together.
    """

    attempts: int = 20
    """Most times that a request is sent, including the first; at least 1."""
    seconds: float = 120.0
    """No attempt starts later than this after the first one; a Retry-After that is longer ends the attempts."""
    first_wait: float = 0.5
    """Limit of the first wait, in seconds."""
    longest_wait: float = 20.0
    """Limit of every wait in seconds, except a Retry-After."""

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise UsageError(f"retry.attempts is {self.attempts}.", hint="Give 1 or more.")
        for name in ("seconds", "first_wait", "longest_wait"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise UsageError(f"retry.{name} is {getattr(self, name)}.", hint="Give seconds, 0 or more.")


class Transport:
    """Keeps connections open. Several threads may use it at once. The arguments are those of `Client`.

    Proxies and certificates are those of requests: `HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None,
        retry: RetryPolicy,
        timeout: tuple[float, float] = TIMEOUT_SECONDS,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = checked_url(url)
        self.sent = 0
        """Number of requests so far, including repeated ones."""
        self._answered = False
        self._counting = threading.Lock()
        self._timeout = timeout
        self._session = session or _session()
        self._session.headers["Accept"] = "application/json"
        self._session.headers["User-Agent"] = f"text-classifier-client/{client_version()}"
        # Threads share the session. Its connection pool allows that, its cookie jar does not: it stays empty.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        if api_key is not None:
            self._session.headers["x-api-key"] = _checked_key(api_key)
        self._retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, ApiError) and error.worth_repeating),
            stop=stop_after_attempt(retry.attempts) | stop_before_delay(retry.seconds),
            wait=_Wait(retry),
            sleep=sleep,
            before_sleep=_log_wait,
            reraise=True,
        )

    def get(self, path: str, *, repeat: bool = True) -> Any:
        """Return the JSON at a path; `repeat=False` sends a single request. Raise ApiError."""
        return self._retrying(self._once, "GET", path) if repeat else self._once("GET", path)

    def post(self, path: str, body: bytes) -> Any:
        """Return the JSON that answers a JSON body; raise ApiError."""
        return self._retrying(self._once, "POST", path, body)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _once(self, method: str, path: str, body: bytes | None = None) -> Any:
        with self._counting:
            self.sent += 1
        try:
            # No redirects: the key is sent to no other address, and a POST stays one.
            answer = self._session.request(
                method,
                self.url + path,
                data=body,
                headers={"Content-Type": "application/json"} if body is not None else None,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise no_answer(self.url, error, answered_before=self._answered) from error
        self._answered = True
        if answer.status_code != 200:
            raise _problem(answer)
        try:
            return answer.json()
        except (ValueError, RecursionError) as error:
            raise bad_answer(f"it is {answer.headers.get('Content-Type')}, not JSON") from error


class _Wait:
    """Computes the seconds until the next attempt."""

    def __init__(self, retry: RetryPolicy) -> None:
        self._backoff = wait_random_exponential(multiplier=retry.first_wait, max=retry.longest_wait)

    def __call__(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ApiError) and error.retry_after is not None:
            return error.retry_after + random.random()
        return self._backoff(state)


def _log_wait(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    level = logging.WARNING if state.upcoming_sleep >= LONG_WAIT_SECONDS else logging.INFO
    log.log(level, "%s Asking again in %.0f s.", shown(str(error)), state.upcoming_sleep)


def _problem(answer: requests.Response) -> ApiError:
    """Return the error for an answer that may be `application/problem+json`, or anything else."""
    try:
        document = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
    except (ValueError, RecursionError):
        document = {}
    items = document.items() if isinstance(document, dict) else ()
    # JSON can hold half of a surrogate pair, files cannot: it stays an escape.
    said = {name: value.encode("utf-8", "backslashreplace").decode() for name, value in items if isinstance(value, str)}
    # What is not the API's own: API Gateway says a message, a redirect its target.
    detail = said.get("detail") or said.get("message") or answer.headers.get("Location", "")
    status = answer.status_code
    kind = UnavailableError if status in WORTH_REPEATING else RequestRefusedError
    return kind(
        f"The API answered {status} {said.get('code') or answer.reason or ''}".rstrip() + f": {detail}" * bool(detail),
        hint=TRY_LATER if status in WORTH_REPEATING else hint_about(answer, said.get("code")),
        status=status,
        code=said.get("code"),
        detail=detail,
        request_id=said.get("request_id"),
        retry_after=_retry_after(answer.headers.get("Retry-After")),
    )


def _retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which may be a date; None for a missing or invalid one."""
    if header is None:
        return None
    try:
        return float(Retry().parse_retry_after(header))
    except (InvalidHeader, ValueError, OverflowError):
        return None


def _session() -> requests.Session:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=MOST_IN_FLIGHT))
    return session


def _checked_key(key: str) -> str:
    """Return the key without surrounding blanks; raise UsageError, which never quotes it."""
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise UsageError(
            "The API key is empty or holds characters that no key has.", hint="Give the key as API Gateway shows it."
        )
    return key


def client_version() -> str:
    """Return this package's version; 0 where it is not installed, but run from its folder."""
    try:
        return version("text-classifier-client")
    except PackageNotFoundError:
        return "0"
