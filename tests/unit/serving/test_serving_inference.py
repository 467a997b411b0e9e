"""serving.inference: the functions that the official Hugging Face container calls."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from serving import inference
from serving.errors import ArtifactError


class Context:
    """The part of the container's context that the functions use."""

    def __init__(self, **properties: str) -> None:
        self.status: int | None = None
        self.system_properties = properties

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        self.status = code


@pytest.fixture(scope="module")
def model(tiny_artifact: Path) -> Any:
    """Load what the container keeps between requests."""
    return inference.model_fn(str(tiny_artifact))


@pytest.mark.parametrize("body", ['{"inputs": "good"}', b'{"inputs": "good"}', bytearray(b'{"inputs": "good"}')])
def test_a_body_is_answered_in_every_type_it_comes_in(model: Any, body: Any) -> None:
    """The container passes JSON as text and everything else as bytes."""
    answer = json.loads(inference.transform_fn(model, body, "application/json", "application/json", Context()))
    assert answer["predictions"][0]["score"] == 1.5


@pytest.mark.parametrize(("inputs", "status"), [("good", 200), ("", 400), ("overflow", 500)])
def test_the_true_status_goes_through_the_context(model: Any, inputs: str, status: int) -> None:
    """A bad request and a failing model stay distinguishable behind the container."""
    context = Context()
    inference.transform_fn(model, json.dumps({"inputs": inputs}), "application/json", "application/json", context)
    assert context.status == status


def test_in_the_stock_server_a_broken_model_says_so_itself(artifact_copy: Path) -> None:
    """There an exception would become a 400, and every request would load the model again."""
    (artifact_copy / "onnx" / "model_int8.onnx").write_bytes(b"cut off")
    context = Context(server_name="MMS")
    model = inference.model_fn(str(artifact_copy), context)
    answer = json.loads(inference.transform_fn(model, '{"inputs": "good"}', "application/json", "*/*", context))
    assert context.status == 500
    assert answer["error"]["type"] == "model_error"
    assert "model_int8.onnx: cannot be loaded" in answer["error"]["message"]


def test_in_the_stock_server_a_wrong_variable_says_so_itself(
    tiny_artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer has only the name of an unexpected error; the log has the rest."""
    monkeypatch.setenv("SERVING_INTRA_OP_THREADS", "many")
    model = inference.model_fn(str(tiny_artifact), Context(server_name="MMS"))
    assert json.loads(inference.transform_fn(model, "{}", "", ""))["error"]["message"].endswith(": ValueError")


@pytest.mark.parametrize("context", [None, Context()])
def test_elsewhere_a_broken_model_ends_the_start(artifact_copy: Path, context: Context | None) -> None:
    """A server that checks model_fn fails at once."""
    (artifact_copy / "onnx" / "model_int8.onnx").unlink()
    with pytest.raises(ArtifactError, match="the file is missing"):
        inference.model_fn(str(artifact_copy), context)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [("good\nbad\n", "text/csv"), (b'{"inputs": "good"}\n{"inputs": "bad"}', "application/jsonlines")],
)
def test_bulk_bodies_are_answered_as_accept_asks(model: Any, body: Any, content_type: str) -> None:
    """The container passes CSV as text and JSON Lines as bytes; without an Accept header it asks for JSON."""
    answer = json.loads(inference.transform_fn(model, body, content_type, "application/json", Context()))
    assert [prediction["label"] for prediction in answer["predictions"]] == ["helpful", "not_helpful"]
    lines = inference.transform_fn(model, body, content_type, "text/csv", Context()).splitlines()
    assert [line.split(",")[0] for line in lines] == ["helpful", "not_helpful"]


@pytest.mark.parametrize(
    ("content_type", "accept", "status"), [("image/png", "*/*", 415), ("text/csv", "image/png", 406)]
)
def test_other_types_are_refused(model: Any, content_type: str, accept: str, status: int) -> None:
    """The status says that the caller has to change the request."""
    context = Context()
    inference.transform_fn(model, b"good", content_type, accept, context)
    assert context.status == status


def test_it_works_without_a_context(model: Any) -> None:
    """Older containers pass none."""
    assert "error" in json.loads(inference.transform_fn(model, "{", "application/json", "application/json"))


def test_the_version_is_the_containers_environment(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """MODEL_VERSION, set by the stack, is in every answer."""
    monkeypatch.setenv("MODEL_VERSION", "12")
    answer = json.loads(inference.transform_fn(model, '{"inputs": "so"}', "application/json", "application/json"))
    assert answer["model"]["version"] == "12"


def test_signatures_are_those_the_container_counts() -> None:
    """It passes its context to functions with exactly one additional parameter (toolkit 2.6.0)."""
    counts = [len(inspect.signature(hook).parameters) for hook in (inference.model_fn, inference.transform_fn)]
    assert counts == [2, 5]


def test_only_the_vendored_folder_of_this_python_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy for this interpreter goes on the path after code/; one for another does not."""
    monkeypatch.setattr(sys, "path", ["code", "site-packages"])
    (tmp_path / "vendor" / "cp27").mkdir(parents=True)
    assert inference.use_vendored(tmp_path) is None
    mine = tmp_path / "vendor" / f"cp3{sys.version_info.minor}"
    mine.mkdir()
    assert inference.use_vendored(tmp_path) == mine
    assert sys.path == ["code", str(mine), "site-packages"]


def test_the_artifacts_own_file_works_and_names_its_backend(tiny_artifact: Path) -> None:
    """Imported from code/ as in the container, the functions run and the log says onnxruntime."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1] + '/code'); import inference; "
        "model = inference.model_fn(sys.argv[1]); print(inference.transform_fn(model, sys.argv[2], '', ''))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tiny_artifact), '{"inputs": "bad"}'],
        capture_output=True,
        text=True,
        check=True,
    )
    ready, answer = map(json.loads, run.stdout.splitlines())
    assert ready["backend"].startswith("onnxruntime ")
    assert answer["predictions"][0]["label"] == "not_helpful"
