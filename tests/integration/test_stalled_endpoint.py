"""The endpoint's process hangs for 20 seconds while the API's service asks: nobody waits for long, then all is well."""

from __future__ import annotations

import functools
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config

from predict.api import PROBE
from predict.endpoint import CONNECT_SECONDS, SageMakerEndpoint
from predict.errors import PredictError
from predict.service import BUDGET_SECONDS, STALLED_SECONDS, PredictionService
from stalled_model import stopped_model
from tiny_serving import artifact

pytestmark = pytest.mark.integration

HANGS, AFTER, PAUSE, RECOVERY = 20.0, 8.0, 3.0, 2.0
PLACES = 10


@pytest.fixture(scope="module")
def endpoint(server: Any) -> str:
    """A serverless endpoint that takes ten requests at once and answers as a model does."""
    answer = """b'[{"label": "helpful", "score": 0.9}]'"""
    s3, sagemaker = server.client("s3"), server.client("sagemaker")
    s3.create_bucket(Bucket="stalled")
    s3.put_object(Bucket="stalled", Key="model.tar.gz", Body=artifact(answer))
    everything = ["arn:aws:s3:::stalled", "arn:aws:s3:::stalled/*"]
    role = server.role("model", "sagemaker.amazonaws.com", {"Action": "s3:*", "Resource": everything})
    container = {"Image": "tiny-serving:1", "ModelDataUrl": "s3://stalled/model.tar.gz"}
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer=container)
    serverless = {"MaxConcurrency": PLACES, "MemorySizeInMB": 2048}
    variants = [{"ModelName": "m", "VariantName": "main", "ServerlessConfig": serverless}]
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName="hangs", EndpointConfigName="c")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="hangs", WaiterConfig={"Delay": 1})
    return "hangs"


class Asking:
    """Clients that ask again and again, each with a service of its own, as each environment of the Lambda has.

    Attributes:
        answers: for each request when it began, the seconds that it took, and "answered" or the error's code.
        later: seconds of the requests after one that failed.
        over: ends all clients.
    """

    def __init__(self, server: Any, endpoint: str, clients: int) -> None:
        self.answers: list[tuple[float, float, str]] = []
        self.later: list[float] = []
        self.over = threading.Event()
        self._endpoint = endpoint
        keys = {name: server.keys[name] for name in ("aws_access_key_id", "aws_secret_access_key")}

        @functools.cache
        def runtime(seconds: int) -> Any:
            """As `predict.endpoint.make_client`, with connections for all."""
            config = Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=seconds,
                retries={"total_max_attempts": 1},
                max_pool_connections=clients,
            )
            region = server.keys["region"]
            return boto3.client("sagemaker-runtime", endpoint_url=server.url, region_name=region, config=config, **keys)

        self._runtime = runtime

    def as_a_client(self, delay: float) -> None:
        """Ask from `delay` seconds on, until it is over."""
        service = PredictionService(endpoint=SageMakerEndpoint(self._endpoint, self._runtime))
        time.sleep(delay)
        failed = False
        while not self.over.is_set():
            began, code = time.monotonic(), "answered"
            try:
                service.predict(PROBE)
            except PredictError as error:
                code = error.code
            took = time.monotonic() - began
            self.answers.append((began, took, code))
            if failed:
                self.later.append(took)
            failed = code != "answered"
            self.over.wait(PAUSE)


@pytest.mark.parametrize("clients", [40, pytest.param(400, marks=pytest.mark.nightly(part="releases"))])
def test_a_model_that_hangs_keeps_nobody_and_is_asked_again_at_once(
    server: Any, endpoint: str, clients: int, tell: Callable[[str], None]
) -> None:
    """A client's first request ends in its budget, the next within 5 s; 2 s after the model lives all are answered."""
    asking = Asking(server, endpoint, clients)
    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(asking.as_a_client, PAUSE * number / clients) for number in range(clients)]
        time.sleep(3 * PAUSE)
        with stopped_model(server.pid):
            hung = time.monotonic()
            time.sleep(HANGS)
            lives = time.monotonic()
        time.sleep(AFTER)
        asking.over.set()
    assert [one.exception() for one in running if one.exception()] == []
    answers = asking.answers
    touched = [one for one in answers if one[0] < lives and one[0] + one[1] > hung]
    longest = {code: max(took for _, took, other in touched if other == code) for *_, code in touched}
    first = min(began + took for began, took, code in answers if code == "answered" and began + took > lives) - lives
    before = Counter(code for began, took, code in answers if began + took < hung)
    after = Counter(code for began, _, code in answers if began > lives + RECOVERY)
    counts = Counter(code for *_, code in touched)
    tell(f"{clients} clients of a model that hung for {HANGS:g} s: {dict(counts)}")
    tell(f"longest in s: { {code: round(seconds, 1) for code, seconds in longest.items()} }")
    tell(f"before: {dict(before)}; first answer {first:.2f} s after it lived; from {RECOVERY:g} s on: {dict(after)}")
    assert max(longest.values()) < BUDGET_SECONDS + CONNECT_SECONDS
    assert max(asking.later) < STALLED_SECONDS + CONNECT_SECONDS
    assert first < RECOVERY and set(after) == {"answered"}
