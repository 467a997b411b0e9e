"""Tiny base models with random weights, one for each family of tokenizers and of positions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POSITIONS = 40
TEXTS = ["the battery of this camera lasts long but it broke", "a good gift, very good", "bad bad product: poor"] * 10

BERT = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
ROBERTA = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
ENDS = {"cls_token": "<s>", "sep_token": "</s>"}


@dataclass(frozen=True)
class Family:
    """A kind of tokenizer and a model class with its configuration."""

    tokenizer: str
    special: dict[str, str]
    template: str
    model: str
    options: dict[str, Any]
    length: int = POSITIONS
    """Tokens that the model can read."""


def bert_like(**options: Any) -> dict[str, Any]:
    """Options of a configuration with BERT's names."""
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    return {**small, "max_position_embeddings": POSITIONS, **options}


RELATIVE = bert_like(
    relative_attention=True, pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0
)
DISTIL = {"max_position_embeddings": POSITIONS, "dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
GPT2 = {"n_positions": POSITIONS, "n_embd": 32, "n_layer": 2, "n_head": 2, "bos_token_id": 0, "eos_token_id": 0}
XLNET = {"d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 64}
T5 = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2, "decoder_start_token_id": 0}
MODERN = bert_like(pad_token_id=0, cls_token_id=2, sep_token_id=3, bos_token_id=2, eos_token_id=3)
BY_WORDS, BY_ENDS = "[CLS] $A [SEP]", "<s> $A </s>"

SERVED = {
    "wordpiece with token types": Family("wordpiece", BERT, BY_WORDS, "Bert", bert_like()),
    "wordpiece without token types": Family("wordpiece", BERT, BY_WORDS, "DistilBert", DISTIL),
    "bpe, positions from the padding on": Family(
        "bpe", {**ROBERTA, **ENDS}, BY_ENDS, "Roberta", bert_like(pad_token_id=1), POSITIONS - 2
    ),
    "unigram, positions from the padding on": Family(
        "unigram", {**ROBERTA, **ENDS}, BY_ENDS, "XLMRoberta", bert_like(pad_token_id=1), POSITIONS - 2
    ),
    "unigram": Family("unigram", BERT, BY_WORDS, "Albert", bert_like(embedding_size=16)),
    "unigram, relative positions": Family("unigram", BERT, BY_WORDS, "DebertaV2", RELATIVE),
    "bpe, rotary positions": Family("bpe", BERT, BY_WORDS, "ModernBert", MODERN),
    "a decoder with a padding token": Family(
        "bpe", {"eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"}, "", "GPT2", GPT2
    ),
}
REFUSED = {
    "no padding token": Family("bpe", {"eos_token": "<eos>", "unk_token": "<unk>"}, "", "GPT2", GPT2),
    "changes with the padding": Family(
        "unigram",
        {"unk_token": "<unk>", "pad_token": "<pad>", "cls_token": "<cls>", "sep_token": "<sep>"},
        "$A <sep> <cls>",
        "XLNet",
        XLNET,
    ),
    "an encoder with a decoder": Family(
        "unigram", {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}, "$A </s>", "T5", T5
    ),
}


def build(family: Family, folder: Path, **tokenizer_options: Any) -> Path:
    """Write the model and its tokenizer to `folder`."""
    import torch
    import transformers

    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=_tokenizer(family), **family.special, **tokenizer_options
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = getattr(transformers, f"{family.model}Config")(vocab_size=len(tokenizer), **family.options)
    getattr(transformers, f"{family.model}Model")(config).save_pretrained(folder)
    return folder


def _tokenizer(family: Family) -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    special = list(dict.fromkeys(family.special.values()))
    kinds: dict[str, Callable[[], tuple[Any, Any, Any]]] = {
        "wordpiece": lambda: (
            models.WordPiece(unk_token=family.special["unk_token"]),
            pre_tokenizers.BertPreTokenizer(),
            trainers.WordPieceTrainer(vocab_size=150, special_tokens=special, show_progress=False),
        ),
        "bpe": lambda: (
            models.BPE(),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
            trainers.BpeTrainer(
                vocab_size=350,
                special_tokens=special,
                initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                show_progress=False,
            ),
        ),
        "unigram": lambda: (
            models.Unigram(),
            pre_tokenizers.Metaspace(),
            trainers.UnigramTrainer(
                vocab_size=150, special_tokens=special, unk_token=family.special["unk_token"], show_progress=False
            ),
        ),
    }
    model, pre_tokenizer, trainer = kinds[family.tokenizer]()
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    if family.tokenizer == "wordpiece":
        tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.train_from_iterator(TEXTS, trainer)
    if family.template:
        ids = [(token, tokenizer.token_to_id(token)) for token in special]
        tokenizer.post_processor = processors.TemplateProcessing(single=family.template, special_tokens=ids)
    return tokenizer
