"""The drift check: compare the newest traffic with the champion's baseline, feature by feature."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from distribution.features import FEATURES, LABEL
from drift.counts import Counts, parse_baseline
from drift.settings import Settings
from drift.stability import Shift, compare, join_rare
from drift.traffic import newest_traffic
from shared.champion import find_champion
from shared.errors import FunctionError
from shared.storage import ObjectStore


@dataclass(frozen=True)
class CheckResult:
    """The result of one check: the champion's version, and how far each feature of its predictions has shifted.

    Where nothing was compared, `shifts` is empty, and `nothing_said` says why.
    """

    version: str | None = None
    predictions: int = 0
    shifts: dict[str, Shift] = field(default_factory=dict)
    nothing_said: str | None = None

    @property
    def largest(self) -> float | None:
        """The largest excess of all features; None where nothing was compared."""
        return max((shift.excess for shift in self.shifts.values()), default=None)


def check(
    settings: Settings, *, cloudformation: Any, sagemaker: Any, s3: Any, cloudwatch: Any, now: datetime
) -> CheckResult:
    """Compare the newest predictions of the champion with its baseline, through boto3 clients; `now` is in UTC.

    Raises FunctionError: the champion, its baseline or the metrics cannot be read.
    """
    champion = find_champion(cloudformation, sagemaker, settings.serving_stack)
    if champion is None:
        return CheckResult(nothing_said="no model package serves")
    if champion.problem is not None:
        next_step = "Next: check this function's role and the registry."
        raise FunctionError(f"The champion cannot be read: {champion.problem}. {next_step}")
    if champion.baseline_uri is None:
        return CheckResult(champion.version, nothing_said="the champion's package has no baseline")
    baseline = parse_baseline(ObjectStore(s3).read(champion.baseline_uri), champion.baseline_uri)
    if not baseline.predictions:
        missing = "the champion was registered without answers to test sentences"
        return CheckResult(champion.version, nothing_said=missing)
    traffic = newest_traffic(cloudwatch, settings, champion.version, list(baseline.labels), now)
    if traffic.predictions < settings.sample:
        few = f"fewer than {settings.sample} predictions"
        return CheckResult(champion.version, traffic.predictions, nothing_said=few)
    return CheckResult(champion.version, traffic.predictions, shifts(baseline, traffic))


def shifts(baseline: Counts, traffic: Counts) -> dict[str, Shift]:
    """Return the shift of each feature; both sides have counted at least one prediction."""
    found = {}
    if any(traffic.labels.values()):  # an old container may not tell what decides on the series
        found[LABEL] = compare(list(baseline.labels.values()), [traffic.labels[label] for label in baseline.labels])
    for feature in FEATURES:
        found[feature.name] = compare(*join_rare(baseline.bins[feature.name], traffic.bins[feature.name]))
    return found
