"""What is wrong with the URL of an API: before a request, and from what was there instead of the API."""

import http.client
import re
import socket
import ssl
from urllib.parse import urlsplit

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, InvalidURL, SSLError

from text_classifier.errors import ApiError, RequestRefusedError, UnreachableError, UsageError

FORM = "Give the API's base, for example https://….amazonaws.com/live, without /v1."
# Errors of a connection that may pass, and those among them that do not.
_BROKEN = (requests.ConnectionError, requests.Timeout, ChunkedEncodingError, ContentDecodingError)
_LASTING = (SSLError, InvalidURL)
_API_GATEWAY = re.compile(r".+\.execute-api\..+\.amazonaws\.com(\.cn)?")
_BELOW_A_BASE = re.compile(r"(https?://[^?#]+?)/(v1(/.*)?|predictions|docs|openapi\.json)/*")


def checked_url(url: str) -> str:
    """Return the base URL without a final slash; raise UsageError, which does not quote a password in it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError("The URL is not that of an API: it needs http:// or https:// and a host.", hint=FORM)
    if parts.username is not None or parts.password is not None:
        raise UsageError("The URL holds a user name or a password; the API takes a key.", hint=FORM)
    if (below := _BELOW_A_BASE.fullmatch(url)) or parts.query or parts.fragment:
        hint = f"Give {below[1]} instead." if below else FORM
        raise UsageError("The URL is not the API's base, but an address below it.", hint=hint)
    if _API_GATEWAY.fullmatch(parts.hostname or "") and (parts.scheme == "http" or not parts.path.strip("/")):
        hint = "Give the stack's output ApiUrl, for example https://….amazonaws.com/live."
        raise UsageError("API Gateway takes https:// only, and a URL that ends with the API's stage.", hint=hint)
    return url.rstrip("/")


def no_answer(url: str, error: BaseException, *, answered_before: bool) -> ApiError:
    """Return the error for a request without an answer.

    Nobody there is worth a repetition only where somebody was before: otherwise the URL may well be wrong.
    """
    broken = isinstance(error, _BROKEN) and not isinstance(error, _LASTING)
    silent = isinstance(error, requests.ConnectTimeout)
    while (cause := error.__cause__ or error.__context__) is not None:  # requests wraps errors several times
        error = cause
    broken_off = (http.client.BadStatusLine, ConnectionResetError) if url.startswith("http:") else ()
    hints: dict[type | tuple[type, ...], str] = {
        socket.gaierror: "Check the spelling of the URL's host, and this machine's network and proxy.",
        ssl.SSLCertVerificationError: "Check the URL's host, and the certificates that this machine trusts.",
        ssl.SSLError: "Where the port takes no TLS, begin the URL with http://.",
        broken_off: "Where the port takes TLS, begin the URL with https://.",
        BaseException: "Check the URL. `make status` prints that of the local cloud, and `make up` starts it.",
    }
    hint = next(hint for kind, hint in hints.items() if isinstance(error, kind))
    reason = str(error) or type(error).__name__
    if not broken:
        return RequestRefusedError(f"{url} cannot be requested: {reason}.", hint=hint)
    unreachable = UnreachableError(f"{url} cannot be reached: {reason}.", hint=hint)
    nobody = silent or isinstance(error, (ConnectionRefusedError, socket.gaierror))
    unreachable.worth_repeating = answered_before or not nobody
    return unreachable


def hint_about(answer: requests.Response, code: str | None) -> str:
    """Return what to do about an answer that is not worth a repetition; `code` is the one of its problem."""
    if answer.status_code in (401, 403) and code is not None:
        return "Check the API key: the environment variable TEXT_CLASSIFIER_API_KEY."
    if answer.status_code == 403:  # API Gateway's, as the API, its stage and its firewall answer with a problem
        return f"The URL may lack the API's stage, or name another one. {FORM}"
    if answer.status_code == 404 or code is None:
        return f"This may be another server than the API. {FORM}"
    return "The API's operator finds the reason in its log under the request id."
