"""Faults of the model, its endpoint and the API."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from aws_console import PREFIX
from faults import COLD, NEXT_RELEASE, UP, fault
from trial import API_FUNCTION, Trial
from waiting import until


@fault(COLD)
def model_killed(trial: Trial) -> None:
    """The endpoint's process is killed."""
    for process in trial.processes():
        process.kill()


@fault(COLD, {429, 504}, within=30)
def model_stalled(trial: Trial) -> None:
    """The endpoint's process is stopped for 8 s (SIGSTOP)."""
    with stopped(trial):
        time.sleep(8)
    trial.heal()


# 500 is what API Gateway says for a function without a place: locally 16 a core, and `local` lets 400 a second through.
@fault(COLD, {429, 500, 504}, within=30)
def model_stalled_under_load(trial: Trial) -> None:
    """The endpoint's process is stopped for 20 s while 400 others ask; the smoke test's function still starts."""
    functions = trial.console.project.client("lambda")
    with hammering(trial, clients=400, seconds=20), stopped(trial):
        time.sleep(15)
        # Without input it ends at once; a function that finds no place is refused with a 429.
        assert functions.invoke(FunctionName=f"{PREFIX}-smoke-test", Payload=b"{}")["FunctionError"]
        time.sleep(5)
        trial.heal()


@contextmanager
def stopped(trial: Trial) -> Iterator[None]:
    """Keep the endpoint's processes from running."""
    processes = trial.processes()
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


@fault(UP, {500, 502, 504})
def api_function_killed(trial: Trial) -> None:
    """The processes of the API's Lambda function are killed."""
    for process in trial.processes(function=API_FUNCTION):
        process.kill()


@fault(UP, {429})
def burst(trial: Trial) -> None:
    """Forty other clients ask as fast as they can, for 3 s."""
    with hammering(trial, clients=40, seconds=3):
        pass
    trial.heal()


@contextmanager
def hammering(trial: Trial, *, clients: int, seconds: float) -> Iterator[None]:
    """Let further clients ask as fast as they can, each for so many seconds; wait for all in the end."""
    url, until_then = f"{trial.console.project.status['api_url']}/v1/predictions", time.monotonic() + seconds
    answers: Counter[int] = Counter()

    def hammer() -> None:
        with requests.Session() as session:
            while time.monotonic() < until_then:
                try:
                    answers[session.post(url, json={"inputs": "How is it?"}, timeout=30).status_code] += 1
                except requests.RequestException:
                    answers[0] += 1

    threads = [threading.Thread(target=hammer, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()
    trial.said.append(f"the other clients: {dict(sorted(answers.items()))}")


@fault(COLD, mended=NEXT_RELEASE, within=8)
def endpoint_deleted(trial: Trial) -> None:
    """The endpoint is deleted; then another version is released."""
    lose_endpoint(trial, other=True)


@fault(COLD, mended="by releasing the champion again", within=8)
def endpoint_deleted_again(trial: Trial) -> None:
    """The endpoint is deleted; then the champion is released again."""
    lose_endpoint(trial, other=False)


def lose_endpoint(trial: Trial, *, other: bool) -> None:
    """Delete the endpoint, and release a version."""
    trial.console.sagemaker.delete_endpoint(EndpointName=PREFIX)
    until(lambda: not trial.console.left_over()["endpoints"])
    time.sleep(6)  # for so long the API may tell again what it knew
    assert trial.ask_status() is None
    trial.ask_releases()
    trial.release(trial.other if other else trial.champion)
    trial.heal()


@fault(COLD, mended="by deleting the endpoint and the next release", within=8)
def config_deleted(trial: Trial) -> None:
    """The model and the endpoint config in use are deleted, with which SageMaker refuses every update."""
    sagemaker, left, other = trial.console.sagemaker, trial.console.left_over(), trial.other
    sagemaker.delete_endpoint_config(EndpointConfigName=left["endpoint configs"][0])
    sagemaker.delete_model(ModelName=left["models"][0])
    trial.release_in_vain(other, "Next: delete the endpoint")
    assert trial.approved(other)  # it is not the package's fault
    trial.ask_status()
    sagemaker.delete_endpoint(EndpointName=PREFIX)
    until(lambda: not trial.console.left_over()["endpoints"])
    trial.release(other)
    trial.heal()
