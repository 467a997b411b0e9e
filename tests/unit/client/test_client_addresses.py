"""text_classifier.addresses: a wrong URL is explained at once, with what to do."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import closing

import pytest

from contract_api import ContractApi, Fault
from text_classifier import ApiError, BadAnswerError, Client, RequestRefusedError, RetryPolicy, UnreachableError, cli
from text_classifier.errors import UsageError

NewClient = Callable[..., Client]
GATEWAY = "abc123.execute-api.eu-west-1.amazonaws.com"
TLS_ALERT = bytes.fromhex("15030300020246")
"""What a port with TLS answers to a request without it."""


def error_of(client: Client) -> ApiError:
    """The error of a request that has to fail."""
    with pytest.raises(ApiError) as caught:
        client.score("text")
    return caught.value


def free_address() -> str:
    """An address on the loopback interface where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/live"


@pytest.mark.parametrize(
    "below", ["/v1", "/v1/", "/v1/predictions", "/predictions", "/v1/health", "/docs", "/openapi.json"]
)
def test_an_address_below_the_base_is_answered_with_the_base(below: str) -> None:
    """The person who pasted it can paste the next step."""
    with pytest.raises(UsageError) as caught:
        Client(f"https://{GATEWAY}/live{below}")
    assert caught.value.hint == f"Give https://{GATEWAY}/live instead."


@pytest.mark.parametrize("url", [f"https://{GATEWAY}", f"https://{GATEWAY}/", f"http://{GATEWAY}/live"])
def test_api_gateway_needs_https_and_a_stage(url: str) -> None:
    """Both are seen before anything is sent; the hint names the output that has the right URL."""
    with pytest.raises(UsageError, match="stage") as caught:
        Client(url)
    assert "ApiUrl" in caught.value.hint
    Client(f"https://{GATEWAY}/live/").close()
    Client("https://api.example.com").close()  # a domain of one's own needs no stage


def test_nobody_there_is_said_at_once(new_client: NewClient, slept: list[float]) -> None:
    """A refused connection is not repeated before the first answer; the hint starts the local cloud."""
    client = new_client(free_address())
    error = error_of(client)
    assert isinstance(error, UnreachableError) and "Connection refused" in error.message
    assert "`make status`" in error.hint and "`make up`" in error.hint
    assert (client.requests_sent, slept) == (1, [])


def test_the_command_says_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Two lines: what is wrong, what to do."""
    assert cli.main(["score", "--url", free_address(), "text"]) == cli.FAILED
    wrong, todo = capsys.readouterr().err.splitlines()
    assert wrong.startswith("Error: http://127.0.0.1:") and todo.startswith("Next step: ") and "`make up`" in todo


def test_who_has_answered_before_may_come_back(new_client: NewClient) -> None:
    """After an answer a refused connection is repeated, as every broken one is."""
    with ContractApi() as api:
        client = new_client(api, retry=RetryPolicy(attempts=3))
        client.score("text")
        client.close()
    assert isinstance(error_of(client), UnreachableError)
    assert client.requests_sent == 1 + 3


def test_an_unknown_host_is_said_at_once(
    new_client: NewClient, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    """The hint is about the spelling and the network."""

    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    error = error_of(new_client("https://no-such-host.invalid/live"))
    assert "Name or service not known" in error.message and "spelling" in error.hint and slept == []


def test_a_host_that_drops_packets_is_asked_once(new_client: NewClient, slept: list[float]) -> None:
    """A connect timeout may be a wrong host as well: no two minutes without a word."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        error = error_of(new_client(f"http://127.0.0.1:{address[1]}/live", timeout=(0.2, 1)))
        for one in waiting:
            one.close()
    assert isinstance(error, UnreachableError) and slept == []


def test_https_where_there_is_no_tls(new_client: NewClient) -> None:
    """The hint names the scheme."""
    with ContractApi() as api:
        error = error_of(new_client(api.url.replace("http:", "https:")))
    assert isinstance(error, RequestRefusedError) and "begin the URL with http://" in error.hint


def test_http_where_there_is_tls(new_client: NewClient) -> None:
    """The hint names the scheme."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def alert() -> None:
            connection, _ = server.accept()
            with connection:
                received = b""
                while b"inputs" not in received:
                    received += connection.recv(1000)
                connection.sendall(TLS_ALERT)

        threading.Thread(target=alert, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/live"
        error = error_of(new_client(url, retry=RetryPolicy(attempts=1)))
    assert "begin the URL with https://" in error.hint


def test_a_connection_that_breaks_under_https(new_client: NewClient) -> None:
    """The hint does not ask for the scheme that the URL has."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def reset() -> None:
            connection, _ = server.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

        threading.Thread(target=reset, daemon=True).start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}/live"
        error = error_of(new_client(url, retry=RetryPolicy(attempts=1)))
    assert isinstance(error, UnreachableError) and error.hint.startswith("Check the URL.")


@pytest.mark.parametrize("message", ["Missing Authentication Token", "Forbidden"])
def test_api_gateways_own_403_is_about_the_stage(new_client: NewClient, message: str) -> None:
    """Not about the key: the API, with its stage and its firewall, would have answered with a problem."""
    fault = Fault(403, body=f'{{"message": "{message}"}}')
    with ContractApi(lambda *_: fault) as api:
        error = error_of(new_client(api))
    assert message in error.message and "stage" in error.hint and "key" not in error.hint


def test_the_apis_403_is_about_the_key(new_client: NewClient) -> None:
    """A problem with a code."""
    with ContractApi(api_key="the-key") as api:
        error = error_of(new_client(api, api_key="k1"))
    assert "TEXT_CLASSIFIER_API_KEY" in error.hint


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_a_web_page_is_not_the_api(new_client: NewClient, status: int) -> None:
    """Whatever its status."""
    page = Fault(status, body="<html>Sign in</html>", headers=(("Content-Type", "text/html"),))
    with ContractApi(lambda *_: page) as api:
        error = error_of(new_client(api))
    assert "the API's base" in error.hint
    assert not isinstance(error, BadAnswerError) or "text/html, not JSON" in error.message


def test_a_redirect_says_where_to(new_client: NewClient) -> None:
    """It is not followed; a person sees that https:// would do."""
    fault = Fault(301, body="", headers=(("Location", "https://api.example.com/v1/predictions"),))
    with ContractApi(lambda *_: fault) as api:
        error = error_of(new_client(api))
    assert error.message.endswith("https://api.example.com/v1/predictions") and "base" in error.hint
