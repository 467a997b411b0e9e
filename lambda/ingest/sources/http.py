"""Data files at or below a web address."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3

from classifier.data.layout import is_data_file
from ingest.addresses import AddressRule, GuardedAdapter
from ingest.errors import DataUnavailableError, SourceInvalidError, SourceUnreachableError
from ingest.sources.base import ALLOWED, CHUNK_BYTES, Limits, Stream, data_files
from shared.words import shortened

DEFAULT_FILES = ("train.json", "test.json")
_PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class HttpSource:
    """Files below a web address, or the single file that it names."""

    def __init__(self, url: str, limits: Limits, rule: AddressRule | None = None) -> None:
        self.name = url.rstrip("/")
        folder, _, last = self.name.rpartition("/")
        # A slash at the end says that it is no file. Right after the scheme stands the host.
        is_file = is_data_file(last) and not url.endswith("/") and not folder.endswith(":/")
        self._only = last if is_file else None
        self._folder = folder if self._only else self.name
        self._limits = limits
        self._session = requests.Session()
        # A compressed answer could not be compared with its announced size.
        self._session.headers["Accept-Encoding"] = "identity"
        if rule:
            for scheme in ("http://", "https://"):
                self._session.mount(scheme, GuardedAdapter(rule))

    def find_files(self) -> tuple[str, ...]:
        """Return the file's name, or the default names, because a web address cannot be listed."""
        return data_files([self._only], self.name) if self._only else DEFAULT_FILES

    @contextmanager
    def open(self, file: str) -> Iterator[Stream]:
        """Request one file."""
        url = f"{self._folder}/{file}"
        limits = self._limits
        try:
            response = self._session.get(url, stream=True, timeout=(limits.connect_timeout, limits.read_timeout))
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError) as error:
            problem = f"is not a usable address ({shortened(str(error))}); allowed is {ALLOWED}."
            raise SourceInvalidError(f"{self.name} {problem}") from error
        except requests.exceptions.TooManyRedirects as error:
            raise DataUnavailableError(f"{url} redirects in circles.") from error
        except requests.RequestException as error:
            raise _unreachable(f"{url} {self._no_answer(error)}.") from error
        with response:
            _refuse(response, url)
            announced = response.headers.get("Content-Length", "")
            size = int(announced) if announced.isdecimal() and "Content-Encoding" not in response.headers else None
            yield Stream(size, self._chunks(response, url, size))

    def _chunks(self, response: requests.Response, url: str, size: int | None) -> Iterator[bytes]:
        received = 0
        try:
            # Not iter_content: it waits for whole blocks, so a host that sends one byte at a time would go unnoticed.
            while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
                received += len(chunk)
                yield chunk
        except (urllib3.exceptions.ProtocolError, urllib3.exceptions.DecodeError) as error:
            expected = size if size is not None else "an unknown number of"
            problem = f"{url} broke off after {received} of {expected} bytes."
            raise SourceUnreachableError(problem, hint="Try again.") from error
        except urllib3.exceptions.ReadTimeoutError as error:
            raise _unreachable(f"{url} was silent for {self._limits.read_timeout:g} s.") from error
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(f"{url} cannot be read any further.") from error

    def _no_answer(self, error: requests.RequestException) -> str:
        """Say what happened instead of an answer."""
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return f"did not accept a connection within {self._limits.connect_timeout:g} s"
        if isinstance(error, requests.Timeout):
            return f"was silent for {self._limits.read_timeout:g} s"
        if isinstance(error, requests.exceptions.SSLError):
            return "has no valid certificate"
        if isinstance(error, requests.exceptions.ProxyError):
            return "cannot be reached through the proxy"
        return "cannot be reached"


def _refuse(response: requests.Response, url: str) -> None:
    answered = f"{url} answered {response.status_code} {shortened(response.reason)}"
    if response.status_code in _PASSING_STATUS:
        wait = response.headers.get("Retry-After", "")
        retry_after = float(wait) if wait.isdecimal() else 0.0
        raise SourceUnreachableError(f"{answered}.", retry_after=retry_after, hint="Try again later.")
    if response.status_code != 200:
        raise DataUnavailableError(
            f"{answered}; 200 with the file is needed.",
            hint="Check the address: the names of the files are appended to it.",
        )
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise DataUnavailableError(
            f"{url} answered with a web page, not with a data file.",
            hint="Check the address, and whether it shows a login or proxy page.",
        )


def _unreachable(message: str) -> SourceUnreachableError:
    return SourceUnreachableError(message, hint="Check the network and the address.")
