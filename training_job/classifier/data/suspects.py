"""Labels that are likely wrong, and texts that a base model cannot read."""

import json
from collections import Counter
from pathlib import Path

import numpy as np

from classifier.data.findings import Finding
from classifier.data.rows import Example

FOLDS = 3
MIN_ROWS = 2 * FOLDS
"""Rows that a label needs, to be learned from the rows of the other folds."""

MAX_WORK = 300_000
"""Rows times labels that are learned; more rows are sampled, so that it takes seconds."""

CONFIDENT, DOUBTED = 0.6, 0.1
"""Probability of another label from which on, and of the given one up to which, a label is likely wrong."""

UNKNOWN_SHARE = 0.2
_SAMPLE = 2_000
_SHOWN = 5


def find_suspects(rows: list[Example], path: Path | None) -> list[Finding]:
    """Find rows to which word counts, learned from other rows, give another label with confidence.

    The method is confident learning in its simplest form: TF-IDF and logistic regression, cross-validated. The suspects
    go to `path` as JSON Lines, if there are any.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    sizes = Counter(row.labels for row in rows)
    rows = [row for row in rows if sizes[row.labels] >= MIN_ROWS]
    limit = MAX_WORK // max(len(sizes), 1)
    if len(rows) > limit:
        rows = [rows[number] for number in sorted(np.random.default_rng(0).permutation(len(rows))[:limit])]
    sizes = Counter(row.labels for row in rows)
    rows = [row for row in rows if sizes[row.labels] >= MIN_ROWS]
    labels = sorted({row.labels[0] for row in rows})
    if len(labels) < 2:
        return []
    given = np.array([labels.index(row.labels[0]) for row in rows])
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=20_000, token_pattern=r"\w+")
    model = make_pipeline(words, LogisticRegression(C=10, max_iter=100))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    try:
        likely = cross_val_predict(model, [row.text for row in rows], given, cv=folds, method="predict_proba")
    except ValueError:  # no words at all
        return []
    best = likely.argmax(axis=1)
    own = likely[np.arange(len(rows)), given]
    typical = np.array([own[given == label].mean() for label in range(len(labels))])
    wrong = (best != given) & (likely.max(axis=1) >= np.maximum(typical[best], CONFIDENT)) & (own <= DOUBTED)
    found = [(rows[number], labels[best[number]]) for number in np.flatnonzero(wrong)]
    if not found:
        return []
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        entries = (
            {"split": "train", "line": row.line, "label": row.labels[0], "likely": other} for row, other in found
        )
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    pairs = Counter((row.labels[0], other) for row, other in found).most_common(_SHOWN)
    shown = ", ".join(f"{label} that reads like {other} {count}" for (label, other), count in pairs)
    where = f"; listed in {path.name}" if path else ""
    return [Finding("label_errors", len(found), f"{len(found)} of {len(rows):,} labels look wrong: {shown}{where}")]


def unreadable(splits: dict[str, list[Example]], tokenizer: Path) -> list[Finding]:
    """Tell of texts of which a tokenizer knows too few parts."""
    from tokenizers import Tokenizer

    model = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]
    reader = Tokenizer.from_file(str(tokenizer))
    unknown = model.get("unk_id") if isinstance(model.get("unk_id"), int) else None
    if unknown is None and model.get("unk_token"):
        unknown = reader.token_to_id(model["unk_token"])
    if unknown is None:
        return []
    texts = [row.text for rows in splits.values() for row in rows]
    if len(texts) > _SAMPLE:
        texts = [texts[number] for number in np.random.default_rng(0).permutation(len(texts))[:_SAMPLE]]
    encoded = [reader.encode(text[:2_000], add_special_tokens=False).ids for text in texts]
    count = sum(ids.count(unknown) > UNKNOWN_SHARE * len(ids) for ids in encoded if ids)
    if not count:
        return []
    message = (
        f"{count:,} of {len(texts):,} texts have more than {UNKNOWN_SHARE:.0%} parts that the base model does not know"
    )
    return [Finding("unknown_tokens", count, message.replace("%", " %"))]
