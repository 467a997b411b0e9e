"""A model of words, to compare with: TF-IDF of words and pairs of words, and logistic regression."""

import logging
import warnings
from typing import Any

from classifier.data.splits import Splits
from classifier.evaluation.evaluation import point_figures
from classifier.model.objective import truth_of
from classifier.model.thresholds import choose_thresholds, cross_fitted

NAME = "TF-IDF + logistic regression"
MOST_ROWS = 20_000
MOST_WORDS = 50_000
MOST_LABELS = 100
"""Above these it takes longer than its line is worth: rows and words are left out, and with more labels it is."""

_log = logging.getLogger(__name__)


def baseline(splits: Splits) -> dict[str, Any] | None:
    """Train the baseline, and return its name and its figures on each split; None where it is not made."""
    labels, several = len(splits.data.label_names), splits.objective == "multilabel"
    if labels > MOST_LABELS:
        return None
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.pipeline import make_pipeline
    except ImportError:
        _log.info("baseline: none, because scikit-learn is not installed")
        return None
    train = splits.train.iloc[:: -(-len(splits.train) // MOST_ROWS)]
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=MOST_WORDS, token_pattern=r"\w+")
    model = make_pipeline(words, OneVsRestClassifier(LogisticRegression(C=4.0, solver="liblinear")))
    frames = {"validation": splits.validation, "test": splits.test}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a label of all rows or of none cannot be learned, and needs no remark
        try:
            model.fit(train["text"], truth_of(train, splits.objective, labels).astype(int))
        except ValueError as e:  # texts without a word, or one class only
            _log.info("baseline: none, because %s", str(e).splitlines()[0].lower())
            return None
    chances = {name: model.predict_proba(frame["text"]) for name, frame in frames.items() if frame is not None}
    truth = {name: truth_of(frames[name], splits.objective, labels) for name in chances}
    if several:
        thresholds = choose_thresholds(chances["validation"], truth["validation"])
        answers = {name: found >= thresholds for name, found in chances.items()}
        answers["validation"] = cross_fitted(chances["validation"], truth["validation"])
    else:
        ids = model.classes_
        answers = {name: ids[found.argmax(axis=1)] for name, found in chances.items()}
    figures = {name: point_figures(given, truth[name], labels) for name, given in answers.items()}
    return {"name": NAME, **figures}
