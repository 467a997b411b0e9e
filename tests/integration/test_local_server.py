"""The local cloud as a process: where it listens, what it keeps, how it ends."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import stat
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from waiting import until

pytestmark = pytest.mark.integration

_FUNCTION = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"


def _listening(port: int | None = None) -> set[tuple[str, int]]:
    """(hexadecimal address, port) of listening TCP sockets of this machine."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            address, _, number = line.split()[1].partition(":")
            if line.split()[3] == "0A" and port in (None, int(number, 16)):
                sockets.add((address, int(number, 16)))
    return sockets


def _descendants(pid: int) -> set[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
    found, pending = set(), [pid]
    while pending:
        children = [child for child, parent in parents.items() if parent in pending]
        found.update(children)
        pending = children
    return found


def _alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def _make_function(server: Any, name: str = "probe") -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("index.py", _FUNCTION)
    role = server.role(f"{name}-role", "lambda.amazonaws.com")
    server.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )


def _invoke(server: Any, name: str = "probe") -> Any:
    return json.loads(server.client("lambda").invoke(FunctionName=name, Payload=b"{}")["Payload"].read())


def _stack_names(cloudformation: Any) -> list[str]:
    return [stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]]


def test_the_only_socket_is_on_loopback(server: Any) -> None:
    """One port on 127.0.0.1 and no other is opened."""
    assert _listening(server.port) == {("0100007F", server.port)}
    inodes = {str(link.readlink()) for link in Path(f"/proc/{server.pid}/fd").iterdir() if link.is_symlink()}
    own = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
            own.add(int(fields[1].split(":")[1], 16))
    assert own == {server.port}


def test_health_names_the_process(server: Any) -> None:
    """The readiness probe answers 200 with the server's process id."""
    with urllib.request.urlopen(f"{server.url}/_local/health") as answer:
        body = json.load(answer)
    assert (body["status"], body["pid"]) == ("ok", server.pid)


def test_credentials_are_readable_by_their_owner_only(server: Any) -> None:
    """credentials.json has mode 0600."""
    assert stat.S_IMODE((server.state_dir / "credentials.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(("key", "secret"), [("test", "test"), ("000000000000", "test"), (None, "wrong")])
def test_the_root_key_needs_its_secret(server: Any, key: str | None, secret: str) -> None:
    """Neither ministack's well-known keys nor the right key with a wrong secret get in."""
    keys = {"aws_access_key_id": key or server.keys["aws_access_key_id"], "aws_secret_access_key": secret}
    with pytest.raises(ClientError) as refused:
        server.client("cloudformation", **keys).list_stacks()
    assert refused.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/config"])
def test_unauthenticated_switches_are_closed(server: Any, path: str) -> None:
    """Nobody can wipe or reconfigure the cloud without credentials."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(server.url + path, data=b"{}", method="POST"))
    assert refused.value.code == 403


def test_lambda_gets_a_clean_environment(new_server: Callable[..., Any]) -> None:
    """What the developer's shell exports reaches no function; HOME and TMPDIR lie in the state folder."""
    server = new_server({**os.environ, "AWS_PROFILE": "production", "PYTHONPATH": "/somewhere", "MY_SECRET": "x"})
    server.start()
    _make_function(server)
    environment = _invoke(server)
    assert not {"AWS_PROFILE", "PYTHONPATH", "MY_SECRET"} & environment.keys()
    assert environment["AWS_SECRET_ACCESS_KEY"] != server.keys["aws_secret_access_key"]
    assert Path(environment["HOME"]).is_relative_to(server.state_dir)
    assert Path(environment["TMPDIR"]).is_relative_to(server.state_dir)
    assert environment["AWS_ENDPOINT_URL"] == server.url


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything(new_server: Callable[..., Any], number: int) -> None:
    """No process, no port, no temporary file is left, the exit code is 0 and the log says so."""
    server = new_server()
    server.start()
    _make_function(server)
    _invoke(server)
    children = _descendants(server.pid)
    assert children
    assert server.stop(number) == 0
    assert not _alive(children)
    assert not _listening(server.port)
    assert not list((server.state_dir / "tmp").iterdir())
    assert "The local cloud has stopped." in server.log.read_text()
    assert "Traceback" not in server.log.read_text()


def test_a_request_that_a_stop_cuts_off_is_answered_503(new_server: Callable[..., Any]) -> None:
    """A long poll under way gets a problem body and Retry-After, not hypercorn's 500 without a body."""
    server = new_server()
    server.start()
    sqs = server.client("sqs")
    queue = sqs.create_queue(QueueName="empty")["QueueUrl"]
    answers: list[dict[str, Any]] = []
    sqs.meta.events.register(
        "response-received.sqs.ReceiveMessage", lambda response_dict, **_: answers.append(response_dict)
    )

    def poll() -> None:
        with contextlib.suppress(BotoCoreError, ClientError):
            sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)

    polling = threading.Thread(target=poll)
    polling.start()
    time.sleep(1)
    assert server.stop() == 0
    polling.join(timeout=60)
    cut_off = answers[0]
    assert cut_off["status_code"] == 503, cut_off
    assert cut_off["headers"]["retry-after"] == "5"
    assert cut_off["headers"]["content-type"] == "application/problem+json"
    assert json.loads(cut_off["body"])["status"] == 503


def test_a_restart_keeps_state(new_server: Callable[..., Any]) -> None:
    """Objects, functions and the root key are there again."""
    server = new_server()
    server.start()
    server.client("s3").create_bucket(Bucket="kept")
    server.client("s3").put_object(Bucket="kept", Key="a/b", Body=b"content")
    _make_function(server)
    keys = server.keys
    server.stop()
    server.start()
    assert server.keys == keys
    assert server.client("s3").get_object(Bucket="kept", Key="a/b")["Body"].read() == b"content"
    assert _invoke(server)["AWS_LAMBDA_FUNCTION_NAME"] == "probe"


def test_an_interrupted_stack_can_be_removed_after_a_restart(new_server: Callable[..., Any]) -> None:
    """A creation that a stop cuts off ends as failed instead of staying in progress, and can be deleted."""
    server = new_server()
    server.start()
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    waiting = {"Handle": {"Ref": "Handle"}, "Timeout": "3000", "Count": 1}
    resources = {"Handle": handle, "Never": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": waiting}}
    server.client("cloudformation").create_stack(StackName="cut", TemplateBody=json.dumps({"Resources": resources}))
    assert server.stop() == 0
    server.start()
    cloudformation = server.client("cloudformation")
    assert cloudformation.describe_stacks(StackName="cut")["Stacks"][0]["StackStatus"] == "ROLLBACK_FAILED"
    newest = cloudformation.describe_stack_events(StackName="cut")["StackEvents"][0]
    assert "was stopped" in newest["ResourceStatusReason"]
    cloudformation.delete_stack(StackName="cut")
    until(lambda: not _stack_names(cloudformation))


def test_a_killed_server_leaves_no_process_and_starts_again(new_server: Callable[..., Any]) -> None:
    """SIGKILL: the functions' processes end by themselves, and the next start cleans up."""
    server = new_server()
    server.start()
    _make_function(server)
    _invoke(server)
    children = _descendants(server.pid)
    server.stop(signal.SIGKILL)
    until(lambda: not _alive(children))
    server.start()
    assert not list((server.state_dir / "tmp").iterdir())


def test_a_port_in_use_is_one_clear_line(new_server: Callable[..., Any]) -> None:
    """Exit code 3, one line that names the port and what to do, no traceback."""
    server = new_server()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        process = server.launch()
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert output.count("\n") == 1
    assert f"Port {server.port}" in output
    assert "--port" in output


def test_two_servers_never_share_a_state_folder(new_server: Callable[..., Any]) -> None:
    """The second one ends with code 4 and names the first; the first's endpoint stays as written."""
    server = new_server()
    server.start()
    process = server.launch(port=server.port + 1)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 4
    assert f"process {server.pid}" in output
    assert server.keys["endpoint_url"] == server.url
