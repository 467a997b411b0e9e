"""Check before the training that a base model can be served: its tokenizer, its length and its padding.

The checks ask the model and its tokenizer instead of a list of architectures, so that they hold for new ones.
"""

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from classifier.errors import JobError
from serving.text_encoder import TextEncoder

TEXTS = ("A short text.", "The battery lasts long, but it broke: 3 stars, “très décevant” (電池). " * 8, " ")
"""Texts that are tokenised for the checks: a short one, one to truncate, and one without a word."""
TOKENS = 16
"""Length to which they are truncated."""
PROBED_TOKENS = 1_024
"""Longest row that is tried out: attention takes memory that grows with its square."""
MAX_DIFFERENCE = 1e-3
"""Largest difference that padding may make to a logit, relative to the largest logit, which a new head keeps small."""


def check_tokenizer(name: str, tokenizer: PreTrainedTokenizerBase) -> None:
    """Check that the serving code, which has the `tokenizers` library only, tokenises as transformers does.

    Raises JobError: there is no `tokenizer.json` or no padding token, or the tokens differ.
    """
    if not tokenizer.is_fast:
        raise refusal(name, "its tokenizer exists in Python only, and serving needs a tokenizer.json")
    if tokenizer.pad_token is None:
        raise refusal(name, "its tokenizer has no padding token, which batches of texts need")
    encoder = TextEncoder(
        Tokenizer.from_str(tokenizer.backend_tokenizer.to_str()),
        max_length=TOKENS,
        truncation_side=tokenizer.truncation_side,
        pad_token_id=0,
    )
    own = tokenizer(list(TEXTS), truncation=True, max_length=TOKENS)
    if own["input_ids"] != [encoding.ids for encoding in encoder.encode(TEXTS)]:
        raise refusal(name, "its tokenizer.json tokenises differently from its own tokenizer")
    if not all(own["input_ids"]):
        raise refusal(name, "its tokenizer makes no token at all of a text without words")
    if any(map(any, own.get("token_type_ids", []))):
        raise refusal(name, "it needs token types other than 0, which are not served")


def usable_length(name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, wanted: int) -> int:
    """Return how many tokens of a text the model can read, `wanted` at most.

    Some models number their positions from `padding_idx + 1` on, and so can use fewer than they have. The tokenizer's
    own limit may be absent (then it is 1e30), and some models tell -1 for no limit of positions.

    Raises JobError: the model fails on texts of each length that was tried.
    """
    positions = getattr(model.config, "max_position_embeddings", None) or 0
    limit = min(wanted, tokenizer.model_max_length)
    if positions <= 0:
        return limit
    offset = (model.config.pad_token_id or 0) + 1
    for length in dict.fromkeys((min(limit, positions), min(limit, positions - offset))):
        # Only a length within the offset is in doubt.
        if length <= positions - offset or (length <= PROBED_TOKENS and _reads(model, length)):
            return length
    raise refusal(name, f"it has {positions} positions only")


def check_padding(name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Check that the answer to a text does not depend on the padding after it: texts are trained and served in batches.

    Raises JobError: the answer depends on it (the model reads its last token or counts positions from the end), or the
    model cannot compute it.
    """
    if model.config.is_encoder_decoder:
        raise refusal(name, "it is an encoder with a decoder, and serving runs encoders")
    longest = min(TOKENS, tokenizer.model_max_length)
    short, long = (
        tokenizer(TEXTS[1], truncation=True, max_length=length)["input_ids"] for length in (longest // 2, longest)
    )
    missing = len(long) - len(short)
    alone_ids = torch.tensor([short])
    ids = torch.tensor([short + [tokenizer.pad_token_id] * missing, long])
    mask = torch.tensor([[1] * len(short) + [0] * missing, [1] * len(long)])
    try:
        alone, batch = _logits(model, alone_ids, torch.ones_like(alone_ids))[0], _logits(model, ids, mask)[0]
    except Exception as e:  # models raise many kinds
        reason = str(e).strip().split("\n")[0]
        raise refusal(name, f"it cannot compute two texts of different lengths ({reason})") from e
    if float((alone - batch).abs().max()) > MAX_DIFFERENCE * float(alone.abs().max()):
        raise refusal(name, "its answer to a text changes with the padding after the text")


def refusal(name: str, reason: str) -> JobError:
    """Make the error for a base model that cannot be served."""
    return JobError(
        f"The base model {name} cannot be served: {reason}.",
        hint="Take an encoder model with a fast tokenizer, such as distilbert-base-uncased, MiniLM or roberta-base.",
    )


def _reads(model: PreTrainedModel, length: int) -> bool:
    """Return whether the model answers a row of `length` tokens without padding."""
    other_than_padding = 1 if model.config.pad_token_id != 1 else 2
    row = torch.full((1, length), other_than_padding)
    try:
        _logits(model, row, torch.ones_like(row))
    except (IndexError, RuntimeError, ValueError):  # beyond the last position, by the kind of position
        return False
    return True


def _logits(model: PreTrainedModel, ids: Tensor, mask: Tensor) -> Tensor:
    """Run the model on two tensors (rows, tokens) int64 without dropout; return its logits, (rows, labels)."""
    model.train(False)
    with torch.inference_mode():
        logits: Tensor = model(input_ids=ids, attention_mask=mask).logits
    model.train()
    return logits
