"""The Hub's token from Secrets Manager, which is a server on this machine."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from classifier.errors import JobError
from classifier.job.hub_token import fetch_hub_token
from classifier.job.interruption import StopRequest
from classifier.job.processes import Processes
from train import run

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hub-Ab1Cd2"
Secrets = Callable[[int, dict[str, str]], list[dict[str, str]]]


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Secrets:
    """Starts a Secrets Manager with one answer; returns the requests that it has received."""
    monkeypatch.setenv("HF_TOKEN", "of before")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")

    def serve(status: int, answer: dict[str, str]) -> list[dict[str, str]]:
        received: list[dict[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                received.append({**asked, "signed": self.headers["Authorization"]})
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        request.addfinalizer(server.server_close)
        request.addfinalizer(server.shutdown)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", f"http://127.0.0.1:{server.server_port}")
        return received

    return serve


@pytest.mark.parametrize("text", ["hf_abc", "hf_abc\n", '{"token": "hf_abc"}'])
def test_the_token_is_the_secrets_text(secrets: Secrets, text: str) -> None:
    """As a text or as the one value of the console's form; the secret's own region is asked for that ARN."""
    received = secrets(200, {"SecretString": text})
    fetch_hub_token({"HUB_TOKEN_SECRET": ARN})
    assert os.environ["HF_TOKEN"] == "hf_abc"
    (asked,) = received
    assert asked["SecretId"] == ARN
    assert "/eu-west-1/secretsmanager/" in asked["signed"]


def test_a_name_is_asked_for_in_the_jobs_own_region(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret may be named by less than its ARN; without a region the reason is told."""
    received = secrets(200, {"SecretString": "hf_abc"})
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    for name in ("hub-token", "team/hub:token"):
        fetch_hub_token({"HUB_TOKEN_SECRET": name})
    assert [asked["SecretId"] for asked in received] == ["hub-token", "team/hub:token"]
    assert all("/eu-central-1/secretsmanager/" in asked["signed"] for asked in received)


def test_a_name_without_a_region_is_explained(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of a stack trace."""
    secrets(200, {"SecretString": "hf_abc"})
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_CONFIG_FILE", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/no/such/file")
    with pytest.raises(JobError, match="could not be read from secret: You must specify a region"):
        fetch_hub_token({"HUB_TOKEN_SECRET": "secret"})


def test_without_a_secret_nobody_is_asked(secrets: Secrets) -> None:
    """A token that the environment holds stays."""
    received = secrets(200, {"SecretString": "hf_abc"})
    fetch_hub_token({})
    assert (os.environ["HF_TOKEN"], received) == ("of before", [])


@pytest.mark.parametrize("text", ["", " ", "hf_a hf_b", '{"one": "hf_a", "two": "hf_b"}', "hf_ä", "[]"])
def test_what_is_no_token_is_refused_unseen(secrets: Secrets, text: str) -> None:
    """The message names the secret and the next step, and nothing of what it holds."""
    secrets(200, {"SecretString": text})
    with pytest.raises(JobError, match="holds no token") as caught:
        fetch_hub_token({"HUB_TOKEN_SECRET": ARN})
    assert "hf_" not in str(caught.value) and "as the secret's text" in caught.value.hint
    assert os.environ["HF_TOKEN"] == "of before"


def test_a_refusal_is_told_with_its_reason(secrets: Secrets) -> None:
    """Whoever may not read the secret sees AWS's reason and what to set."""
    secrets(400, {"__type": "AccessDeniedException", "message": "no right"})
    with pytest.raises(JobError, match=r"could not be read from arn.*AccessDenied.*no right") as caught:
        fetch_hub_token({"HUB_TOKEN_SECRET": ARN})
    assert "training.hub_token_secret" in caught.value.hint


def test_the_job_reads_it_before_the_base_model_and_logs_nothing(
    secrets: Secrets, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A job whose base model is missing has its token already; no log line of any library holds it."""
    secrets(200, {"SecretString": "hf_abc"})
    caplog.set_level(logging.INFO)
    argv = ["--train", str(tmp_path), "--model-dir", str(tmp_path / "model"), "--base_model", "/no/such/folder"]
    with pytest.raises(JobError, match="base model /no/such/folder"):
        run(argv, {"HUB_TOKEN_SECRET": ARN}, StopRequest(), Processes())
    assert os.environ["HF_TOKEN"] == "hf_abc"
    assert "hf_abc" not in caplog.text
