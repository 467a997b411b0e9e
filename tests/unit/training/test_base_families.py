"""Base models of every tokenizer family are trained, exported and served as transformers answers, or refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from base_families import POSITIONS, REFUSED, SERVED, Family, build
from classifier.artifact.package import ONNX_FILE, write_serving_settings
from classifier.errors import JobError
from classifier.model.base_model import find_base_model, load_base_model
from classifier.model.encoding import encode
from serving.predictor import Predictor, load_predictor

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("one_thread")]
FIELD = Path(os.environ.get("FIELD_FILES", Path(__file__).resolve().parents[4] / "shared" / "field")) / "models"
LABELS = ("good", "bad", "long")
SHORT, LONG = "a good gift", "the battery lasts long but it broke: a bad product " * 10
ROWS = [SHORT, "bad bad product", "the camera lasts long", LONG] * 10
TARGETS = [0, 1, 2, 2] * 10


@dataclass(frozen=True)
class Trained:
    """A trained artifact, and how it was trained."""

    folder: Path
    length: int
    objective: str


def train(base: Path, folder: Path, *, objective: str = "classification", max_length: int = 512) -> Trained:
    """Train one epoch on `ROWS`, and write what an artifact has for serving."""
    import torch
    from transformers import DataCollatorWithPadding

    from classifier.onnx_export.export import export_int8

    several = objective == "multilabel"
    tokenizer, model = load_base_model(
        find_base_model(str(base)), outputs=len(LABELS), multilabel=several, max_length=max_length, dropout=0.1
    )
    targets: list[Any] = [[float(each == label) for label in range(3)] for each in TARGETS] if several else TARGETS
    encoded = encode(tokenizer, ROWS, targets)
    collate = DataCollatorWithPadding(tokenizer)
    rows = [{name: value for name, value in row.items() if name != "length"} for row in encoded]
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for start in range(0, len(rows), 8):
        loss = model(**collate(rows[start : start + 8])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.train(False)
    model.config.id2label = dict(enumerate(LABELS))
    model.config.label2id = {name: label for label, name in enumerate(LABELS)}
    export_int8(model, folder / ONNX_FILE, tokenizer, encoded)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    settings = {"objective": objective, "max_length": tokenizer.model_max_length}
    thresholds = {"label_thresholds": [0.5] * len(LABELS)} if several else {}
    write_serving_settings(
        folder / "config.json", {**settings, **thresholds, "truncation_side": tokenizer.truncation_side}
    )
    return Trained(folder, tokenizer.model_max_length, objective)


def by_torch(folder: Path) -> Predictor:
    """The predictor of a container without onnxruntime."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "serving.onnx_backend", None)
        return load_predictor(folder)


def by_transformers(folder: Path, texts: list[str]) -> list[dict[str, float]]:
    """What a Hugging Face user gets: the probability of each label."""
    from transformers import pipeline

    model = pipeline("text-classification", model=str(folder), device=-1)
    return [{each["label"]: each["score"] for each in answer} for answer in model(texts, top_k=None, truncation=True)]


def assert_agree(trained: Trained) -> None:
    """Compare int8 by onnxruntime and float32 by torch with transformers, on a short and a long text in one batch."""
    texts = [SHORT, LONG, "bad", LONG + "good " * 50]
    wanted = by_transformers(trained.folder, texts)
    for predictor, tolerance in ((load_predictor(trained.folder), 0.05), (by_torch(trained.folder), 1e-5)):
        answers = predictor.predict(texts, [None] * len(texts))
        assert [each.truncated for each in answers] == [False, True, False, True]
        for answer, probabilities in zip(answers, wanted, strict=True):
            assert dict(answer.scores or ()) == pytest.approx(probabilities, abs=tolerance)
            if trained.objective == "multilabel":
                assert set(answer.labels or ()) == {name for name, p in (answer.scores or ()) if p >= 0.5}


@pytest.mark.parametrize("family", SERVED.values(), ids=SERVED)
def test_a_family_is_served_as_transformers_answers(family: Family, tmp_path: Path) -> None:
    """The long text that was trained on is truncated at the length that the model can read, and answered alike."""
    from classifier.onnx_export.export import rehearse_export

    base = build(family, tmp_path / "base")
    rehearse_export(load_base_model(find_base_model(str(base)), outputs=3, max_length=16, dropout=0.0)[1])
    trained = train(base, tmp_path / "model")
    assert trained.length == family.length
    assert_agree(trained)


@pytest.mark.parametrize(("reason", "family"), REFUSED.items())
def test_a_family_that_cannot_be_served_is_refused_by_name(reason: str, family: Family, tmp_path: Path) -> None:
    """Before the training, with the reason and the next step."""
    base = build(family, tmp_path / "base")
    with pytest.raises(JobError, match=reason) as caught:
        load_base_model(find_base_model(str(base)), outputs=3, max_length=64, dropout=0.0)
    assert str(base) in caught.value.message and "encoder model" in caught.value.hint


def test_an_architecture_that_cannot_be_exported_is_refused_by_name() -> None:
    """A small copy is exported before the training."""
    from transformers import FNetConfig, FNetForSequenceClassification

    from classifier.onnx_export.export import rehearse_export

    config = FNetConfig(vocab_size=90, hidden_size=32, num_hidden_layers=3, intermediate_size=64)
    with pytest.raises(JobError, match="FNetForSequenceClassification cannot be exported"):
        rehearse_export(FNetForSequenceClassification(config))


def test_a_model_for_several_labels_is_served_as_transformers_answers(tmp_path: Path) -> None:
    """Each label has a probability of its own."""
    base = build(SERVED["wordpiece with token types"], tmp_path / "base")
    assert_agree(train(base, tmp_path / "model", objective="multilabel"))


@pytest.mark.parametrize("options", [{"model_max_length": 12}, {"padding_side": "left"}, {"truncation_side": "left"}])
def test_the_tokenizers_own_settings_hold_everywhere(options: dict[str, Any], tmp_path: Path) -> None:
    """A shorter limit and the truncated side are those of the tokenizer; padding is on the right in any case."""
    base = build(SERVED["wordpiece with token types"], tmp_path / "base", **options)
    trained = train(base, tmp_path / "model")
    assert trained.length == options.get("model_max_length", POSITIONS)
    assert_agree(trained)


def test_transformers_loads_the_folder_without_a_word(tmp_path: Path) -> None:
    """No key of config.json is a setting of text generation, in any version of the file."""
    base = build(SERVED["wordpiece with token types"], tmp_path / "base")
    folder = train(base, tmp_path / "model").folder
    code = (
        "import sys; from transformers import pipeline; pipeline('text-classification', model=sys.argv[1], device=-1)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert not re.search("generation|max_length|warn", done.stdout + done.stderr, re.IGNORECASE)
    from transformers import GenerationConfig

    generation = {name for name in GenerationConfig().to_dict() if not name.startswith("_")}
    ids = {"pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"}
    odd = generation & json.loads((folder / "config.json").read_text()).keys()
    assert odd <= ids | {"transformers_version", "use_cache"}


@pytest.mark.skipif(not FIELD.is_dir(), reason="the field files are not beside this project")
@pytest.mark.parametrize(("name", "length"), [("m1_roberta_no_length", 32), ("m8_truncates_left", 12)])
def test_field_models_are_served(name: str, length: int, tmp_path: Path) -> None:
    """One has positions after the padding id and no length of the tokenizer; the other truncates on the left."""
    trained = train(FIELD / name, tmp_path / "model")
    assert trained.length == length
    assert_agree(trained)


@pytest.mark.skipif(not FIELD.is_dir(), reason="the field files are not beside this project")
@pytest.mark.parametrize(
    ("name", "reason"),
    [("m4_python_tokenizer", "exists in Python only"), ("m5_xlnet_left_padding", "changes with the padding")],
)
def test_field_models_are_refused(name: str, reason: str) -> None:
    """A tokenizer without tokenizer.json; a model that reads the last token, padding or not."""
    with pytest.raises(JobError, match=f"{name} cannot be served.*{reason}"):
        load_base_model(find_base_model(str(FIELD / name)), outputs=2, max_length=128, dropout=0.0)
