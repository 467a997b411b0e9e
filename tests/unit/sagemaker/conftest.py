"""A cloud made of folders around the SageMaker service, with tiny scripts as training code and a tiny model server."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import training_image
from local.sagemaker.common.names import Scope
from local.sagemaker.common.settings import ImageRule, Settings
from local.sagemaker.common.surroundings import SurroundingsError
from local.sagemaker.endpoints.invocation import InvokeResult
from local.sagemaker.service import SageMakerService

ACCOUNT, REGION = "000000000000", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
PATIENCE_SECONDS = 20.0

MODEL_SERVER = """
import json, os, socket, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

if sys.argv[1:] != ["serve"]:
    sys.exit("started without 'serve'")
if os.environ.get("BEHAVIOUR") == "exit":
    print("cannot load the model")
    sys.exit(3)

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    connections = 0

    def setup(self):
        Handler.connections += 1
        super().setup()

    def answer(self, status, document, headers=()):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(503 if os.environ.get("BEHAVIOUR") == "never ready" else 200, {})

    def do_POST(self):
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(order.get("sleep", 0))
        if order.get("crash"):
            os._exit(9)
        reached = None
        if "reach" in order:
            try:
                socket.create_connection(("127.0.0.1", order["reach"]), timeout=5).close()
                reached = True
            except OSError:
                reached = False
        reply = {
            "reached": reached,
            "version": os.environ.get("MODEL_VERSION"),
            "pid": os.getpid(),
            "connections": Handler.connections,
            "environment": dict(os.environ),
            "folder": sorted(os.listdir(os.environ["SM_MODEL_DIR"])),
            "content_type": self.headers["Content-Type"],
            "accept": self.headers["Accept"],
            "order": order,
        }
        custom = self.headers.get("X-Amzn-SageMaker-Custom-Attributes")
        headers = [("X-Amzn-SageMaker-Custom-Attributes", custom + "-seen")] if custom else []
        self.answer(order.get("status", 200), reply if order.get("status", 200) == 200 else {"error": "no"}, headers)

    def log_message(self, *args):
        print("asked", flush=True)

address = (os.environ["SAGEMAKER_BIND_TO_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
print("serving", os.environ.get("MODEL_VERSION"), flush=True)
ThreadingHTTPServer(address, Handler).serve_forever()
"""


def archive(files: Mapping[str, str]) -> bytes:
    """A tar.gz of these texts."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            content = text.encode()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


class FolderSurroundings:
    """The cloud around the service: a folder of objects, and lists of logs, events and metrics."""

    def __init__(self, objects: Path) -> None:
        self.objects = objects
        self.logs: dict[tuple[str, str], list[str]] = {}
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.metrics: dict[tuple[str, str], list[tuple[float, str, dict[str, str]]]] = {}
        """(namespace, name) → (value, unit, dimensions) of each value."""
        self.untrusted_roles: set[str] = set()
        self.unreadable: set[str] = set()
        """Beginnings of URIs that no role may read."""
        self.unwritable: set[str] = set()
        """Beginnings of URIs that no role may write."""
        self.broken: set[str] = set()
        """Methods that raise an unexpected exception."""
        self._lock = threading.Lock()

    def path(self, uri: str) -> Path:
        return self.objects / uri.removeprefix("s3://")

    def put(self, uri: str, content: bytes) -> str:
        self.path(uri).parent.mkdir(parents=True, exist_ok=True)
        self.path(uri).write_bytes(content)
        return uri

    def s3_get(self, uri: str, *, role_arn: str) -> bytes:
        self._check(uri, role_arn, self.unreadable)
        if not self.path(uri).is_file():
            raise SurroundingsError("NoSuchKey", "The specified key does not exist.")
        return self.path(uri).read_bytes()

    def s3_download(self, uri: str, directory: Path, *, role_arn: str) -> int:
        self._check(uri, role_arn, self.unreadable)
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        count = 0
        for path in sorted((self.objects / bucket).rglob("*")):
            key = path.relative_to(self.objects / bucket).as_posix()
            if path.is_file() and key.startswith(prefix):
                target = directory / key[prefix.rfind("/") + 1 :]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
                count += 1
        return count

    def s3_upload(self, path: Path, uri: str, *, role_arn: str) -> None:
        self._check(uri, role_arn, self.unwritable)
        self.put(uri, path.read_bytes())

    def put_log(self, scope: Scope, group: str, stream: str, lines: Sequence[tuple[int, str]]) -> None:
        self._break("put_log")
        with self._lock:
            self.logs.setdefault((group, stream), []).extend(message for _, message in lines)

    def put_event(self, scope: Scope, detail_type: str, detail: Mapping[str, Any], resource: str) -> None:
        self.events.append((detail_type, detail))

    def put_metrics(
        self, scope: Scope, namespace: str, values: Mapping[str, float], unit: str, dimensions: Mapping[str, str]
    ) -> None:
        self._break("put_metrics")
        with self._lock:
            for name, value in values.items():
                self.metrics.setdefault((namespace, name), []).append((value, unit, dict(dimensions)))

    def credentials_for(self, role_arn: str) -> dict[str, str]:
        self._break("credentials_for")
        self._check("", role_arn, set())
        return {"AWS_ACCESS_KEY_ID": "ASIA1", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}

    def log_of(self, group: str) -> list[str]:
        """All lines of a log group."""
        with self._lock:
            return [line for (name, _), lines in self.logs.items() if name == group for line in lines]

    def _break(self, method: str) -> None:
        if method in self.broken:
            raise ZeroDivisionError("oops")

    def _check(self, uri: str, role_arn: str, denied: set[str]) -> None:
        if role_arn in self.untrusted_roles:
            raise SurroundingsError("AccessDenied", "not authorized to perform: sts:AssumeRole")
        if any(uri.startswith(beginning) for beginning in denied):
            raise SurroundingsError("AccessDenied", "Access Denied")


def transform_request(version: str = "1") -> dict[str, Any]:
    """A CreateTransformJob request for lines of JSON, one a request."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}}
    return {
        "TransformJobName": "batch",
        "ModelName": f"model-{version}",
        "BatchStrategy": "SingleRecord",
        "TransformInput": {"DataSource": source, "ContentType": "application/json", "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": "s3://bucket/out", "Accept": "application/json", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }


class Cloud:
    """A running service and short ways to talk to it."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.settings = settings
        self.surroundings = FolderSurroundings(folder / "objects")
        self.service = SageMakerService(settings, self.surroundings)
        self.service.start()

    def call(self, action: str, **params: Any) -> dict[str, Any]:
        return self.service.handle(Scope(ACCOUNT, REGION), action, params)

    def invoke(self, name: str, body: bytes = b"{}", **headers: str) -> InvokeResult:
        sent = {"content-type": "application/json", "accept": "application/json", **headers}
        return self.service.invoke_endpoint(Scope(ACCOUNT, REGION), name, body, sent)

    def restart(self) -> None:
        """Stop the service and start another one on the same folder."""
        self.service.stop()
        self.service = SageMakerService(self.settings, self.surroundings)
        self.service.start()

    def train(self, script: str, name: str = "job", files: Mapping[str, str] | None = None, **params: Any) -> None:
        """Start a training job whose code is `script` (train.py)."""
        hyperparameters = self.put_code(script, name, files)
        algorithm = {"TrainingImage": "acct/training:1", "TrainingInputMode": "File"}
        request = {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            **params,
            "AlgorithmSpecification": algorithm | params.get("AlgorithmSpecification", {}),
            "HyperParameters": hyperparameters | params.get("HyperParameters", {}),
        }
        self.call("CreateTrainingJob", **request)

    def put_code(self, script: str, name: str = "job", files: Mapping[str, str] | None = None) -> dict[str, str]:
        """Store training code whose train.py is `script`; return the hyperparameters that name it."""
        code = {"train.py": textwrap.dedent(script), **(files or {})}
        source = self.surroundings.put(f"s3://bucket/code/{name}/sourcedir.tar.gz", archive(code))
        return {"sagemaker_program": "train.py", "sagemaker_submit_directory": source}

    def job(self, name: str = "job") -> dict[str, Any]:
        """The description of a training job once it has ended."""
        return self.until(
            lambda: self.call("DescribeTrainingJob", TrainingJobName=name),
            lambda job: job["TrainingJobStatus"] not in ("InProgress", "Stopping"),
        )

    def transform(self, records: Sequence[Any] | bytes, version: str = "1", **params: Any) -> None:
        """Start the transform job `batch` on one object: these bytes, or a JSON record a line."""
        environment = {"MODEL_VERSION": version, **params.pop("model_environment", {})}
        container = {"Image": "acct/serving:1", "ModelDataUrl": self.put_model(version), "Environment": environment}
        model = {"PrimaryContainer": container, "EnableNetworkIsolation": params.pop("isolated", False)}
        self.call("CreateModel", ModelName=f"model-{version}", ExecutionRoleArn=ROLE, **model)
        if not isinstance(records, bytes):
            records = "".join(json.dumps(record) + "\n" for record in records).encode()
        self.surroundings.put("s3://bucket/in/rows.jsonl", records)
        self.call("CreateTransformJob", **(transform_request(version) | params))

    def transformed(self) -> dict[str, Any]:
        """The description of `batch` once it has ended."""
        return self.until(
            lambda: self.call("DescribeTransformJob", TransformJobName="batch"),
            lambda job: job["TransformJobStatus"] not in ("InProgress", "Stopping"),
        )

    def training_log(self) -> list[str]:
        return self.surroundings.log_of("/aws/sagemaker/TrainingJobs")

    def put_model(self, version: str, files: Mapping[str, str] | None = None) -> str:
        """Store an artifact and return its URI."""
        content = {"code/serve.py": MODEL_SERVER, "version.txt": version, **(files or {})}
        return self.surroundings.put(f"s3://bucket/models/{version}/model.tar.gz", archive(content))

    def create_config(self, version: str, *, environment: Mapping[str, str] | None = None, **serverless: int) -> str:
        """Make a model and a configuration around it; returns the configuration's name."""
        container = {
            "Image": "acct/serving:1",
            "ModelDataUrl": self.put_model(version),
            "Environment": {"MODEL_VERSION": version, **(environment or {})},
        }
        self.call("CreateModel", ModelName=f"model-{version}", PrimaryContainer=container, ExecutionRoleArn=ROLE)
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": f"model-{version}",
            "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 10, **serverless},
        }
        self.call("CreateEndpointConfig", EndpointConfigName=f"config-{version}", ProductionVariants=[variant])
        return f"config-{version}"

    def deploy(self, version: str = "1", **config: Any) -> dict[str, Any]:
        """Create the endpoint `reviews` and wait until it has come up or failed."""
        name = self.create_config(version, **config)
        self.call("CreateEndpoint", EndpointName="reviews", EndpointConfigName=name)
        return self.endpoint()

    def endpoint(self) -> dict[str, Any]:
        """The description of `reviews` once it is InService or Failed."""
        return self.until(
            lambda: self.call("DescribeEndpoint", EndpointName="reviews"),
            lambda endpoint: endpoint["EndpointStatus"] in ("InService", "Failed"),
        )

    @staticmethod
    def until(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
        """What `look` sees as soon as it is `good`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            seen = look()
            if good(seen):
                return seen
            time.sleep(0.02)
        raise AssertionError(f"still {look()}")


@pytest.fixture
def start_cloud(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    """Starts clouds with settings of choice; stops them afterwards."""
    clouds: list[Cloud] = []

    def start(**overrides: Any) -> Cloud:
        settings = {
            "state_dir": tmp_path / "state",
            "log_dir": tmp_path / "logs",
            "endpoint_url": "http://127.0.0.1:9",
            "images": (
                ImageRule(
                    image="*training*",
                    kind="training",
                    python=sys.executable,
                    environment=training_image.environment(tmp_path),
                ),
                ImageRule(image="*serving*", kind="serving", python=sys.executable, command=("code/serve.py", "serve")),
            ),
            "endpoint_start_seconds": 15.0,
            "stop_grace_seconds": 0.3,
            "shutdown_grace_seconds": 1.0,
            **overrides,
        }
        clouds.append(Cloud(tmp_path, Settings(**settings)))
        return clouds[-1]

    yield start
    for cloud in clouds:
        cloud.service.stop()


@pytest.fixture
def cloud(start_cloud: Callable[..., Cloud]) -> Cloud:
    """A running service with ordinary settings."""
    return start_cloud()
