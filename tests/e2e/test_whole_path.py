"""From `make up` to an answered request, and what a caller, an operator and a failed training see afterwards."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

pytestmark = pytest.mark.e2e
ARTICLE = "This was a Christmas gift for my grandson."


def version(served: Any) -> str:
    """The model version that the API answers with."""
    answer = served.project.post({"inputs": ARTICLE})
    assert answer.status_code == 200, answer.text
    return answer.json()["model"]["version"]


def test_before_a_model_exists_the_api_answers_503(served: Any) -> None:
    """The very API that serves later refused before the training."""
    assert served.before.status_code == 503
    assert served.before.json()["code"] == "model_not_released"


def test_ctrl_c_says_how_to_continue(served: Any) -> None:
    """Ctrl-C during the training ends `make up` with a hint and without a stack trace."""
    assert served.interrupted_code != 0
    assert "Interrupted" in served.interrupted
    assert "make up" in served.interrupted
    assert "Traceback" not in served.interrupted


def test_make_up_continues_what_was_interrupted(served: Any) -> None:
    """The second `make up` follows the run that Ctrl-C left under way instead of starting another."""
    assert "Following the run under way" in served.up
    runs = served.project.client("sagemaker").list_training_jobs(SortOrder="Ascending")["TrainingJobSummaries"]
    assert runs[0]["TrainingJobStatus"] == "Completed"


def test_make_up_shows_progress_with_loss_and_time_left(served: Any) -> None:
    """Between start and end a person sees epoch, loss and the remaining time."""
    line = next(line for line in (served.interrupted + served.up).splitlines() if "step=" in line)
    assert "loss=" in line
    assert "eta=" in line


def test_the_artifact_brings_onnxruntime_along(served: Any) -> None:
    """What trains here serves in AWS's container with onnxruntime, so the job warns of nothing."""
    assert "The artifact has no onnxruntime" not in served.interrupted + served.up


@pytest.mark.proves("make up", "make up DATA=folder")
def test_the_printed_curl_line_answers(served: Any) -> None:
    """The last curl line, pasted as it is, returns a prediction."""
    line = [line.strip() for line in served.up.splitlines() if line.strip().startswith("curl ")][-1]
    done = subprocess.run(
        shlex.split(line.replace("curl ", "curl -sS --fail-with-body ", 1)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    prediction = json.loads(done.stdout)["predictions"][0]
    assert prediction["label"] in ("helpful", "not_helpful")
    assert 0.5 <= prediction["confidence"] <= 1


def test_a_list_of_twenty_items_is_answered_in_order(served: Any) -> None:
    """Twenty texts get twenty predictions, each exactly as when asked alone."""
    texts = pd.read_json(served.data / "test.json", lines=True)["sentence"].tolist()[:20]
    listed = served.project.post({"inputs": texts}).json()["predictions"]
    alone = [served.project.post({"inputs": text}).json()["predictions"][0] for text in texts]
    assert listed == alone


def test_accuracy_counted_from_the_rest_api(served: Any, tell: Callable[[str], None]) -> None:
    """`make evaluate` clears what is promised on the real test file; on the bundled data it beats the majority."""
    done = served.project.make("evaluate")
    figures = json.loads((served.project.folder / "evaluation.json").read_text())
    truth = (pd.read_json(served.data / "test.json", lines=True)["helpful"] >= 1.0).astype(int)
    assert figures["rows"] == len(truth), done.stdout
    tell(f"{figures['rows']} test sentences: accuracy {figures['accuracy']:.3f}, F1 {figures['f1']:.3f}")
    if served.promised:
        assert figures["accuracy"] >= served.promised[0], figures
        assert figures["f1"] >= served.promised[1], figures
    else:
        assert figures["accuracy_95"][0] > max(truth.mean(), 1 - truth.mean()), figures


def test_status_lets_any_client_join_in(served: Any) -> None:
    """status.json holds what another program needs, and `make status` prints it."""
    status = served.project.status
    assert set(status) >= {
        "endpoint_url",
        "region",
        "aws_access_key_id",
        "aws_secret_access_key",
        "api_url",
        "api_key",
        "model_version",
        "log_dir",
    }
    assert not status["api_url"].endswith(("/", "/v1"))
    printed = served.project.make("status").stdout
    assert status["api_url"] in printed
    assert (
        served.project.client("sagemaker").describe_endpoint(EndpointName="text-classifier-local")["EndpointStatus"]
        == "InService"
    )


def test_invoke_endpoint_with_the_articles_body(served: Any) -> None:
    """boto3's invoke_endpoint takes `{"inputs": …}` and answers a label and a score."""
    answer = served.project.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="text-classifier-local", ContentType="application/json", Body=json.dumps({"inputs": ARTICLE})
    )
    prediction = json.loads(answer["Body"].read())["predictions"][0]
    assert prediction["label"] == served.project.post({"inputs": ARTICLE}).json()["predictions"][0]["label"]


def test_predict_prints_the_answer(served: Any) -> None:
    """`make predict TEXT=…` takes any text, quotes and dollars included."""
    output = served.project.make("predict", 'TEXT=It\'s a "great" $$5 lens; `sharp` & light.').stdout
    assert json.loads(output)["label"] in ("helpful", "not_helpful")


def test_a_failed_training_job_says_why_and_the_old_model_keeps_serving(served: Any) -> None:
    """A base model that is nowhere is named in the state machine, in `make train` and in `make logs`."""
    before = version(served)
    done = served.project.make("train", "HYPERPARAMETERS=base_model=package:no_such_model", check=False)
    assert done.returncode != 0
    assert "no_such_model" in done.stdout
    assert "Traceback" not in done.stdout
    machine = served.project.outputs("training")["StateMachineArn"]
    client = served.project.client("stepfunctions")
    failed = client.list_executions(stateMachineArn=machine, statusFilter="FAILED")["executions"][0]
    assert "no_such_model" in client.describe_execution(executionArn=failed["executionArn"])["cause"]
    assert "no_such_model" in served.project.make("logs").stdout
    assert version(served) == before


def test_a_column_that_the_data_lacks_is_refused_before_a_job(served: Any) -> None:
    """What the uploaded data contradicts is refused with what it has, when the data is collected; no job is created."""
    jobs = served.project.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    done = served.project.make("train", "HYPERPARAMETERS=text_column=review", check=False)
    assert done.returncode != 0
    assert "text_column=review differs from how this data was read" in done.stdout and "Traceback" not in done.stdout
    assert served.project.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == jobs


def test_an_unknown_hyperparameter_is_refused_before_anything_runs(served: Any) -> None:
    """The first state names the unknown key, or the impossible value, and what is allowed; no job is created."""
    jobs = served.project.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    for wrong, word in (("epoch=3", "epochs"), ("learning_rate=abc", "learning_rate")):
        done = served.project.make("train", f"HYPERPARAMETERS={wrong}", check=False)
        assert done.returncode != 0
        assert word in done.stdout
    assert len(served.project.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]) == len(jobs)


@pytest.mark.proves("make down")
def test_down_leaves_no_process_and_no_port_and_up_serves_the_same_model_again(served: Any) -> None:
    """`make down` ends everything; `make up` afterwards serves the champion without a new training."""
    before = version(served)
    served.project.make("down")
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    left = [line for line in processes.splitlines() if str(served.project.folder) in line and "ps -eo" not in line]
    assert left == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", served.project.port), timeout=2)
    output = served.project.make("up").stdout
    assert "serves already" in output
    assert version(served) == before
