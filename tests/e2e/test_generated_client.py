"""A client that openapi-python-client generates from the contract, and what it makes of the API's answers."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_project import ROOT, LocalProject

pytestmark = pytest.mark.e2e
PACKAGE = "generated_from_the_contract"
CONTRACT = ROOT / "lambda" / "predict" / "pages" / "openapi.json"
TEXTS = ["The zoom is sharp up to 200 mm, then it gets soft.", "This was a Christmas gift for my grandson."]


class Generated:
    """The generated package, and a client of the running API made with it."""

    def __init__(self, project: LocalProject) -> None:
        self.project = project
        self.models = importlib.import_module(f"{PACKAGE}.models")
        self.client = importlib.import_module(f"{PACKAGE}.client").Client(base_url=project.status["api_url"])

    def ask(self, operation: str, **arguments: Any) -> Any:
        """Call an operation of the contract; status, headers and the parsed answer."""
        module = importlib.import_module(f"{PACKAGE}.api.default.{operation}")
        return module.sync_detailed(client=self.client, **arguments)

    def predict(self, inputs: Any, **parameters: Any) -> Any:
        """Ask for predictions."""
        chosen = self.models.PredictionRequestParameters(**parameters)
        return self.ask("predict", body=self.models.PredictionRequest(inputs=inputs, parameters=chosen))


@pytest.fixture(scope="module")
def generated(project: LocalProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    """Generate it, where a warning is a failure, and import it."""
    folder, programs = tmp_path_factory.mktemp("generated"), Path(sys.executable).parent
    command = [programs / "openapi-python-client", "generate", "--path", CONTRACT, "--fail-on-warning"]
    command += ["--meta", "none", "--output-path", folder / PACKAGE]
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}  # it formats with ruff
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "warning" not in (done.stdout + done.stderr).lower(), done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield Generated(project)
    sys.path.remove(str(folder))


@pytest.mark.parametrize("inputs", [TEXTS[0], TEXTS], ids=["one text", "a list"])
def test_it_makes_predictions(generated: Generated, inputs: Any) -> None:
    """Each is a typed object with what the API says in JSON."""
    answer = generated.predict(inputs)
    assert answer.status_code == 200
    assert isinstance(answer.parsed, generated.models.PredictionResponse)
    assert {one.label for one in answer.parsed.predictions} <= {"helpful", "not_helpful"}
    assert answer.parsed.to_dict() == generated.project.post({"inputs": inputs}).json()


def test_it_asks_for_all_classes(generated: Generated) -> None:
    """`top_k: null`, a value that a generator may well leave out."""
    (prediction,) = generated.predict(TEXTS[0], top_k=None).parsed.predictions
    assert sorted(score.label for score in prediction.scores) == ["helpful", "not_helpful"]
    assert sum(score.confidence for score in prediction.scores) == pytest.approx(1)


@pytest.mark.parametrize(
    ("inputs", "parameters", "code"),
    [
        ([], {}, "bad_request"),  # refused by API Gateway
        (["sharp " * 2_000], {"truncation": False}, "text_too_long"),  # refused by the function
    ],
)
def test_a_problem_is_an_object_of_its_own(
    generated: Generated, inputs: Any, parameters: dict[str, Any], code: str
) -> None:
    """Its code is one of an enumeration, so a program can act on it."""
    answer = generated.predict(inputs, **parameters)
    assert answer.status_code == 400
    assert isinstance(answer.parsed, generated.models.ProblemDocument)
    assert answer.parsed.code is generated.models.ProblemDocumentCode(code)
    assert answer.parsed.detail and answer.parsed.request_id


def test_it_reads_health_and_model_card(generated: Generated) -> None:
    """The other answers are typed, too."""
    assert generated.ask("health").parsed.status is generated.models.HealthStatus.OK
    card = generated.ask("model").parsed
    assert {label.label for label in card.labels} == {"helpful", "not_helpful"}
