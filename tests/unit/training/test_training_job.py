"""The training job as a whole, on a base model of 2 layers and 32 dimensions: seconds instead of minutes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import train
from stacks.training.job.metrics import METRICS
from tests.unit.training.conftest import stopped_at

# Each test really trains, a tiny model on a few rows.
pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("one_thread")]
JOB = Path(train.__file__).parent
QUICK = [
    "--epochs=8",
    "--learning_rate=5e-3",
    "--max_length=16",
    "--logging_steps=5",
    "--bootstrap_resamples=200",
    "--vendor_onnxruntime=no",
]


def start(*arguments: str, environ: dict[str, str] | None = None) -> int:
    """Run the job in this process; return its exit status."""
    return train.main(list(arguments), environ or {})


@pytest.fixture(scope="module")
def trained(
    tiny_base: Path, scored_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Run the script as a process under the container's contract; return the model folder and the output."""
    base = tmp_path_factory.mktemp("ml")
    (base / "input/data").mkdir(parents=True)
    for channel in ("train", "test"):
        folder = base / "input/data" / channel
        folder.mkdir()
        (folder / f"{channel}.json").write_bytes((scored_data / f"{channel}.json").read_bytes())
    environ = {"SAGEMAKER_BASE_DIR": str(base), "PATH": "/usr/bin:/bin", "HOME": str(base), "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        str(JOB / "train.py"),
        f"--base_model={tiny_base}",
        "--sagemaker_program=train.py",
        *QUICK,
    ]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, cwd=base)
    assert done.returncode == 0, done.stderr
    return base / "model", done


@pytest.fixture(scope="module")
def evaluation(trained: tuple[Path, subprocess.CompletedProcess[str]]) -> dict:
    """Read the run's evaluation.json."""
    return json.loads((trained[0] / "evaluation.json").read_text())


def test_the_artifact_has_everything_that_serves(trained) -> None:
    """Hugging Face files, int8 model, serving code, evaluation and card are the contract of model.tar.gz."""
    files = {str(path.relative_to(trained[0])) for path in trained[0].rglob("*") if path.is_file()}
    assert {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "onnx/model_int8.onnx",
        "onnx/model_int8.onnx.data",
        "code/inference.py",
        "code/serving/predictor.py",
        "evaluation.json",
        "README.md",
    } <= files


def test_whoever_serves_may_read_the_network(trained) -> None:
    """The container runs as another user than the training."""
    assert {path.stat().st_mode & 0o004 for path in (trained[0] / "onnx").iterdir()} == {0o004}


def test_no_checkpoint_and_no_python_requirements_travel_with_the_model(trained) -> None:
    """On an endpoint, checkpoints cost size, and requirements run pip at every cold start."""
    names = {path.name for path in trained[0].rglob("*")}
    assert not any(name.startswith("checkpoint-") or name == "requirements.txt" for name in names)


def test_the_configuration_carries_what_serving_needs(trained) -> None:
    """config.json has labels, objective, limit, and what recovers the score from the logits."""
    config = json.loads((trained[0] / "config.json").read_text())
    assert config["id2label"] == {"0": "not_helpful", "1": "helpful"}
    settings = config["text_classifier"]
    assert (settings["objective"], settings["max_length"], settings["score_threshold"]) == ("regression", 16, 1.0)
    assert settings["truncation_side"] == "right"
    assert settings["score_scale"] > 0


def test_transformers_answers_as_the_serving_code_does(trained) -> None:
    """`pipeline` loads the folder without a warning, and gives each text the label that the endpoint gives."""
    code = (
        "import json, sys, warnings; warnings.simplefilter('error', UserWarning); "
        "from transformers import pipeline; model = pipeline('text-classification', model=sys.argv[1], device=-1); "
        "print(json.dumps(model(json.loads(sys.argv[2]), truncation=True)))"
    )
    from serving.predictor import load_predictor

    texts = ["the good battery", "the bad camera", "great " * 40, "poor " * 40]
    command = [sys.executable, "-c", code, str(trained[0]), json.dumps(texts)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not re.search("generation|max_length|warn", done.stderr, re.IGNORECASE)
    answers = load_predictor(trained[0]).predict(texts)
    assert [each["label"] for each in json.loads(done.stdout)] == [each.label for each in answers]
    assert [each.truncated for each in answers] == [False, False, True, True]


def test_the_model_learned_what_there_is_to_learn(evaluation) -> None:
    """On data whose score follows from the words, training beats the majority class by far."""
    assert evaluation["test"]["accuracy"]["value"] > 0.9
    assert evaluation["test"]["pearson"] > 0.8


def test_the_evaluation_says_what_was_measured_on_what(evaluation, scored_data: Path) -> None:
    """Rows, intervals, hashes, hyperparameters and versions are enough to judge and to reproduce the model."""
    from classifier.data.dataset import load_data

    assert evaluation["data_sha256"] == load_data(scored_data, None).data_sha256
    assert evaluation["test"]["rows"] == evaluation["test_rows"] == 60
    assert evaluation["labels"] == ["not_helpful", "helpful"]
    assert evaluation["train_rows"] + evaluation["validation"]["rows"] == 240
    assert evaluation["test"]["f1"]["low"] <= evaluation["test"]["f1"]["value"] <= evaluation["test"]["f1"]["high"]
    assert evaluation["int8"]["agreement"] >= 0.95
    assert evaluation["quarantined"]["train"] == {"malformed": 0, "empty": 0, "duplicate": 0}
    assert evaluation["hyperparameters"]["epochs"] == 8
    assert {"python", "torch", "transformers", "onnxruntime"} <= set(evaluation["versions"])
    origin = evaluation["origin"]
    assert origin["processor"] and (origin["threads"], origin["gpus"], origin["training_job"]) == (1, [], None)


def test_the_log_has_the_lines_that_become_metrics(trained, evaluation) -> None:
    """MetricDefinitions find them: the loss after steps that count up, figures of each epoch, those of the test."""
    said = trained[1].stdout
    steps = re.findall(r"^epoch=[\d.]+ step=(\d+)/\d+ loss=[\d.]+ eta=\d+s$", said, re.MULTILINE)
    assert [*map(int, steps)] == sorted(map(int, steps)) and len(steps) > 5
    found = {name: re.findall(regex, said) for name, regex in METRICS.items()}
    figures = {f"{split}_{name}" for split in ("eval", "test") for name in ("accuracy", "f1", "pearson")}
    assert {name for name, values in found.items() if values} == {"train_loss", "eval_loss", *figures}
    assert len(found["train_loss"]) == len(steps)
    assert (len(found["eval_loss"]), len(found["eval_accuracy"])) == (8, 8 + 1)  # an epoch, and those of the best
    assert (float(found["test_f1"][-1]), float(found["test_pearson"][-1])) == (
        pytest.approx(evaluation["test"]["f1"]["value"], abs=5e-5),
        pytest.approx(evaluation["test"]["pearson"], abs=5e-5),
    )


def test_the_log_has_nothing_else(trained) -> None:
    """The log has no progress bars and no library warnings."""
    assert trained[1].stderr == ""
    known = r"data: |recipe: |epoch=|trained in |eval_|test_|int8_|baseline_|model: "
    assert [line for line in trained[1].stdout.splitlines() if not re.match(known, line)] == []


def test_nothing_is_left_but_model_and_output(trained) -> None:
    """Checkpoints of a finished run, scratch folders and library caches are deleted."""
    base = trained[0].parent
    assert {path.name for path in base.iterdir()} == {"input", "model", "output", "checkpoints"}
    assert list((base / "checkpoints").iterdir()) == []
    output = {path.name for path in (base / "output/data").iterdir()}
    assert output == {"evaluation.json", "loss.svg", "manifest.json", "test_rows.jsonl"}


def test_the_test_rows_are_handed_over(trained, scored_data: Path) -> None:
    """The output has texts, labels and scores as the job used them, in the order of the file."""
    rows = [json.loads(line) for line in (trained[0].parent / "output/data/test_rows.jsonl").open()]
    given = [json.loads(line) for line in (scored_data / "test.json").open()]
    assert rows == [
        {"text": row["sentence"], "label": int(row["helpful"] >= 1), "score": row["helpful"], "family": None}
        for row in given
    ]


def test_no_path_of_this_machine_travels_with_the_model(trained, tiny_base: Path) -> None:
    """The published artifact must not reveal where it was made."""
    for path in trained[0].rglob("*"):
        if path.is_file() and path.name != "evaluation.json":  # which says what the job was given
            content = path.read_bytes()
            assert str(tiny_base).encode() not in content
            assert str(JOB).encode() not in content


def test_the_articles_pipeline_decides_as_the_int8_model_and_answers_both_labels(trained, scored_data: Path) -> None:
    """`pipeline("text-classification")` on the folder decides like ONNX, and not always for LABEL_0."""
    from transformers import AutoTokenizer, pipeline

    from classifier.model.encoding import encode
    from classifier.onnx_export.export import onnx_logits

    texts = [json.loads(line)["sentence"] for line in (scored_data / "test.json").open()]
    answers = [
        answer["label"] for answer in pipeline("text-classification", model=str(trained[0]))(texts, truncation=True)
    ]
    tokenizer = AutoTokenizer.from_pretrained(trained[0])
    logits = onnx_logits(trained[0] / "onnx/model_int8.onnx", tokenizer, encode(tokenizer, texts), 8)
    decisions = np.array(["not_helpful", "helpful"])[logits.argmax(axis=1)]
    assert set(answers) == {"not_helpful", "helpful"}
    assert np.mean(decisions == np.array(answers)) >= 0.95


def test_the_articles_evaluator_runs_with_bootstrap(trained, scored_data: Path) -> None:
    """`evaluator(...).compute(strategy="bootstrap", label_mapping=...)` works on the model without a network."""
    from datasets import Dataset
    from evaluate import evaluator
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from classifier.evaluation.metrics import load_metrics

    rows = [json.loads(line) for line in (scored_data / "test.json").open()]
    data = Dataset.from_dict(
        {"text": [row["sentence"] for row in rows], "label": [int(row["helpful"] >= 1) for row in rows]}
    )
    found = evaluator("text-classification").compute(
        model_or_pipeline=AutoModelForSequenceClassification.from_pretrained(trained[0]),
        tokenizer=AutoTokenizer.from_pretrained(trained[0]),
        data=data,
        metric=load_metrics(),
        label_mapping={"not_helpful": 0, "helpful": 1},
        strategy="bootstrap",
        n_resamples=20,
    )
    assert found["accuracy"]["score"] > 0.9
    assert len(found["f1"]["confidence_interval"]) == 2


def test_the_onnx_model_has_the_inputs_that_serving_feeds(trained) -> None:
    """It maps input_ids and attention_mask to logits, for any batch size and length."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(trained[0] / "onnx/model_int8.onnx"))
    assert {node.name for node in session.get_inputs()} == {"input_ids", "attention_mask"}
    ids = np.array([[2, 4, 3], [2, 5, 3], [2, 6, 3]], dtype=np.int64)
    logits = session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]
    assert logits.shape == (3, 2)


def test_data_with_labels_only_is_learned_as_classification(tiny_base: Path, tmp_path: Path) -> None:
    """A CSV with a text and a label column gives two label names and no score; a fifth is held out to test."""
    rows = "".join(
        f"the {'great' if n % 2 else 'poor'} battery {n},{'praise' if n % 2 else 'blame'}\n" for n in range(120)
    )
    (tmp_path / "train.csv").write_text("review,verdict\n" + rows)
    columns = ["--text_column=review", "--label_column=verdict"]
    out = tmp_path / "out"
    assert (
        start(
            "--train",
            str(tmp_path / "train.csv"),
            "--model-dir",
            str(out),
            f"--base_model={tiny_base}",
            *QUICK,
            *columns,
        )
        == 0
    )
    config = json.loads((out / "config.json").read_text())
    figures = json.loads((out / "evaluation.json").read_text())
    assert config["id2label"] == {"0": "blame", "1": "praise"}
    settings = config["text_classifier"]
    assert settings["objective"] == "classification" and "score_scale" not in settings
    assert figures["test"]["pearson"] is None and figures["validation"]["pearson"] is None
    assert figures["test_rows"] == 24 == len((tmp_path / "out-output/test_rows.jsonl").read_text().splitlines())
    assert figures["validation"]["accuracy"]["value"] > 0.9


def test_a_model_of_this_job_can_be_the_base_of_the_next(trained, scored_data: Path, tmp_path: Path) -> None:
    """Training starts from an artifact and replaces its two-label head."""
    out = tmp_path / "out"
    status = start(
        "--train", str(scored_data), "--model-dir", str(out), f"--base_model={trained[0]}", *QUICK, "--epochs=1"
    )
    assert status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--epochs", "0"], "epochs=0"),
        (["--learning_rate", "abc"], "learning_rate=abc"),
        (["--epoch", "3"], "Did you mean epochs?"),
        (["--base_model", "package:not_installed"], "package:not_installed"),
        (["--objective", "regression", "--label_column", "helpful"], "objective=regression"),
        (["--text_column", "review"], "'review'"),
    ],
)
def test_bad_input_ends_with_a_reason_and_no_model(
    arguments: list[str], said: str, scored_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit status is 1, stderr and the failure file have the reason without a stack trace, and no model is left."""
    environ = {"SAGEMAKER_BASE_DIR": str(tmp_path), "SM_CHANNEL_TRAIN": str(scored_data)}
    assert start(*arguments, environ=environ) == 1
    shown = capsys.readouterr().err
    assert said in shown and "Traceback" not in shown
    assert said in (tmp_path / "output/failure").read_text()
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_unexpected_error_is_told_by_its_place_alone(
    wrapped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its message may quote a customer's text, which stands in no log and in no failure reason."""
    row = "the text of a customer"

    def broken(*_: object) -> None:
        try:
            raise ValueError(f"could not convert {row!r}")
        except ValueError as e:
            raise (RuntimeError(str(e)) if wrapped else e) from None

    monkeypatch.setattr(train, "run", broken)
    assert start(environ={"SAGEMAKER_BASE_DIR": str(tmp_path)}) == 1
    reason, said = (tmp_path / "output/failure").read_text(), "".join(capfd.readouterr())
    assert reason.startswith(f"{'RuntimeError' if wrapped else 'ValueError'} in broken (test_training_job.py, line ")
    assert "The job failed unexpectedly." in said and reason in said and "in broken" in said
    assert row not in reason + said


def test_a_diverging_training_is_reported_as_such(tiny_base: Path, scored_data: Path, tmp_path: Path, caplog) -> None:
    """A loss that is not finite ends the job instead of producing a useless model."""
    import shutil

    import safetensors.torch

    broken = tmp_path / "broken"
    shutil.copytree(tiny_base, broken)
    weights = safetensors.torch.load_file(broken / "model.safetensors")
    weights["embeddings.LayerNorm.weight"] *= float("nan")
    safetensors.torch.save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    environ = {"SAGEMAKER_BASE_DIR": str(tmp_path), "SM_CHANNEL_TRAIN": str(scored_data)}
    assert start(f"--base_model={broken}", *QUICK, environ=environ) == 1
    assert "diverged" in (tmp_path / "output/failure").read_text()
    assert not any(path.name.startswith(".model") for path in tmp_path.iterdir())


def test_a_stopped_job_keeps_a_checkpoint_and_goes_on_from_it(
    tiny_base: Path, scored_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGTERM, as before a spot instance ends: the job writes a checkpoint, and the next start resumes from it."""
    arguments = ["--train", str(scored_data), "--model-dir", str(tmp_path / "out"), f"--base_model={tiny_base}"]
    arguments += [*QUICK, "--epochs=4", "--student_layers=1", "--logging_steps=1"]
    # Of 168: 24 for the full model, so in the student's. The signal is seen after the next step.
    with stopped_at(step=28) as stopped:
        start(*arguments)
    assert stopped.value.code == 143
    assert not (tmp_path / "out").exists()
    assert [path.name for path in (tmp_path / "out-checkpoints").glob("*/student/checkpoint-*")] == ["checkpoint-5"]

    capsys.readouterr()
    assert start(*arguments) == 0
    steps = [int(step) for step in re.findall(r"step=(\d+)/168", capsys.readouterr().out)]
    assert steps[0] == 30 and steps[-1] == 168
    assert not (tmp_path / "out-checkpoints").exists()
