"""The article's own snippets against the artifact that this session trained and serves; more in its notebook."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pandas as pd
import pytest

from fake_hub import TOKEN, FakeHub, Repository, pipeline_answers

pytestmark = pytest.mark.e2e
SENTENCES = 200
BORDERLINE = 0.2  # on the score's scale of 0 to 2: int8 moves a score by about 0.05, rarely by more than 0.1


@pytest.fixture(scope="module")
def model_folder(served: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The champion's model.tar.gz, unpacked."""
    sagemaker = served.project.client("sagemaker")
    cloudformation = served.project.client("cloudformation")
    serving = cloudformation.describe_stacks(StackName="text-classifier-local-serving")["Stacks"][0]
    arn = next(p["ParameterValue"] for p in serving["Parameters"] if p["ParameterKey"] == "ModelPackageArn")
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    address = urlparse(package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])
    folder = tmp_path_factory.mktemp("artifact")
    archive = folder / "model.tar.gz"
    served.project.client("s3").download_file(address.netloc, address.path.lstrip("/"), str(archive))
    (folder / "model").mkdir()
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(folder / "model")], check=True)
    return folder / "model"


def test_text_classification_pipeline_decides_as_the_api(served: Any, model_folder: Path) -> None:
    """`pipeline` on the folder gives both labels; it differs from the served int8 model only on the borderline."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, TextClassificationPipeline

    classify = TextClassificationPipeline(
        model=AutoModelForSequenceClassification.from_pretrained(model_folder),
        tokenizer=AutoTokenizer.from_pretrained(model_folder),
    )
    texts = pd.read_json(served.data / "test.json", lines=True)["sentence"].tolist()[:SENTENCES]
    local = classify(texts)
    served_answers = [
        prediction
        for start in range(0, len(texts), 100)
        for prediction in served.project.post({"inputs": texts[start : start + 100]}).json()["predictions"]
    ]
    assert {answer["label"] for answer in local} == {"helpful", "not_helpful"}
    different = [
        api["score"] for answer, api in zip(local, served_answers, strict=True) if answer["label"] != api["label"]
    ]
    assert len(different) <= 0.05 * len(texts), different
    assert all(abs(score - 1.0) < BORDERLINE for score in different), different


@pytest.mark.proves(
    "make publish", "make publish PACKAGE=1 REPO=owner/name", "make publish PACKAGE=1 REPO=owner/name DRY_RUN=1"
)
def test_a_published_model_answers_as_its_archive(
    served: Any, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make publish` with a token from Secrets Manager; `pipeline` loads the result by its name into an empty cache."""
    from transformers import pipeline

    served.project.client("secretsmanager").create_secret(Name="hub-token", SecretString=TOKEN)
    texts = pd.read_json(served.data / "test.json", lines=True)["sentence"].tolist()[:20]
    words = (f"PACKAGE={served.project.status['model_version']}", "REPO=owner/name", "HUB_TOKEN_SECRET=hub-token")
    with FakeHub() as hub:
        base = {"README.md": b"---\nlicense: apache-2.0\nlanguage: en\n---\n"}
        hub.repositories["sentence-transformers/all-MiniLM-L6-v2"] = Repository(private=False, files=base)
        for name, value in {"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": ""}.items():
            monkeypatch.setitem(served.project.environment, name, value)
        planned = served.project.make("publish", *words, "DRY_RUN=1").stdout
        assert hub.changes == [] and planned.endswith("Published: nothing was sent\n")
        printed = served.project.make("publish", *words, "ARGS=--json").stdout
        answers = pipeline_answers(hub, {"owner/name": texts}, tmp_path)["owner/name"]
        made = hub.repositories["owner/name"]
    document = json.loads(printed[printed.rindex("\n{\n") :])
    assert document["published"].endswith(made.newest) and not document["public"] and made.private
    assert document["files"].keys() == made.files.keys() >= {"model.safetensors", "onnx/model_int8.onnx", "README.md"}
    assert "test, as served" in document["card"] == made.files["README.md"].decode()
    assert TOKEN not in planned + printed
    for answer, own in zip(answers, pipeline("text-classification", str(model_folder))(texts, top_k=None), strict=True):
        assert [one["label"] for one in answer] == [one["label"] for one in own]
        assert [one["score"] for one in answer] == pytest.approx([one["score"] for one in own], abs=1e-4)
