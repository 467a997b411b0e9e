"""The objective, its scale, and the arithmetic of training."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from classifier.data.splits import held_out_fraction
from classifier.errors import HyperparameterError
from classifier.model.objective import ScoreScale, choose_objective, probabilities, targets
from classifier.training.precision import choose_precision, read_cpu_flags


@pytest.mark.parametrize(
    ("wanted", "has_score", "kind"),
    [
        ("auto", True, "regression"),
        ("auto", False, "classification"),
        ("classification", True, "classification"),
        ("regression", True, "regression"),
    ],
)
def test_auto_learns_the_score_where_there_is_one(wanted: str, has_score: bool, kind: str) -> None:
    """The score carries more than the label."""
    assert choose_objective(wanted, has_score=has_score) == kind


def test_regression_without_a_score_is_refused() -> None:
    """There is no target for a regression."""
    with pytest.raises(HyperparameterError) as caught:
        choose_objective("regression", has_score=False)
    assert caught.value.name == "objective"


def test_standardising_and_restoring_are_inverse() -> None:
    """Scores on any scale are restored."""
    scores = np.array([10.0, 55.0, 91.0])
    scale = ScoreScale.of(scores)
    assert np.allclose(scale.restore(scale.standardise(scores)), scores)
    assert np.mean(scale.standardise(scores)) == pytest.approx(0.0, abs=1e-12)


def test_classification_learns_whole_numbers() -> None:
    """Cross-entropy needs class numbers, not floats."""
    frame = pd.DataFrame({"label": [0, 1], "score": [0.5, 1.5]})
    found = targets(frame, "classification", None, 2)
    assert found == [0, 1] and all(isinstance(target, int) for target in found)


def test_several_labels_are_a_zero_or_one_each() -> None:
    """Binary cross-entropy needs a float for each label, also for a text without one."""
    frame = pd.DataFrame({"label": pd.Series([(0, 2), ()]), "score": np.nan})
    assert targets(frame, "multilabel", None, 3) == [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]


def test_probabilities_are_a_softmax_or_a_sigmoid_each() -> None:
    """Of one label a text they add up to one; of several each stands alone. Large logits do not overflow."""
    logits = np.array([[0.0, np.log(3.0)], [900.0, -900.0]], dtype=np.float32)
    assert probabilities(logits, "classification") == pytest.approx(np.array([[0.25, 0.75], [1.0, 0.0]]))
    assert probabilities(logits, "multilabel") == pytest.approx(np.array([[0.5, 0.75], [1.0, 0.0]]))


@pytest.mark.parametrize(
    ("flags", "precision"),
    [({"avx512_bf16"}, "bf16"), ({"amx_bf16"}, "bf16"), ({"avx2", "avx512f"}, "fp32"), (set(), "fp32")],
)
def test_bfloat16_is_used_where_the_processor_computes_in_it(flags: set[str], precision: str) -> None:
    """Emulated bfloat16 is slower than float32."""
    assert choose_precision("auto", cpu_flags=frozenset(flags)) == precision


def test_a_given_precision_is_taken() -> None:
    """float32 is used on any CPU if it is set."""
    assert choose_precision("fp32", cpu_flags=frozenset({"avx512_bf16"})) == "fp32"


@pytest.mark.parametrize("name", ["flags", "Features"])
def test_processor_features_are_read_on_x86_and_arm(tmp_path: Path, name: str) -> None:
    """The two architectures name the line differently."""
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{name}\t\t: fpu bf16\n")
    assert read_cpu_flags(tmp_path / "cpuinfo") == {"fpu", "bf16"}


def test_no_such_file_means_no_features(tmp_path: Path) -> None:
    """Systems other than Linux train in float32."""
    assert read_cpu_flags(tmp_path / "cpuinfo") == frozenset()


@pytest.mark.parametrize(("rows", "fraction"), [(20_000, 0.05), (2_000, 0.1), (600, 0.2)])
def test_small_data_holds_more_out(rows: int, fraction: float) -> None:
    """At least 200 rows are held out, but at most a fifth for that reason."""
    assert held_out_fraction(rows, 0.05) == fraction


@pytest.mark.parametrize(("rows", "labels", "fraction"), [(770, 77, 0.1), (1_600, 77, 0.125), (100, 2, 0.2)])
def test_many_labels_of_few_rows_hold_less_out(rows: int, labels: int, fraction: float) -> None:
    """One row in ten of each label, where a fifth would leave eight of ten to learn from."""
    assert held_out_fraction(rows, 0.05, labels) == fraction
