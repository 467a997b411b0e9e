"""The check itself: the champion's baseline, the newest traffic, one shift for each feature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from distribution.features import FEATURES, LABEL
from drift.counts import Counts, parse_baseline
from drift.errors import ChampionUnreadable
from drift.settings import Settings
from drift.stability import Shift, compare, join_rare
from drift.traffic import Traffic
from gate.champion import find_champion
from gate.store import ObjectStore


@dataclass(frozen=True)
class Found:
    """What a check found.

    Attributes:
        version: of the champion, or None where no package serves.
        predictions: how many were looked at.
        shifts: feature → how far it has moved; empty where there was nothing to compare, or too little.
        nothing_said: why `shifts` is empty.
    """

    version: str | None = None
    predictions: int = 0
    shifts: dict[str, Shift] | None = None
    nothing_said: str | None = None

    @property
    def largest(self) -> float | None:
        """The largest excess of all features; None where nothing was compared."""
        return max(shift.excess for shift in self.shifts.values()) if self.shifts else None


def check(settings: Settings, *, cloudformation: Any, sagemaker: Any, s3: Any, cloudwatch: Any, now: datetime) -> Found:
    """Compare the newest predictions of the champion with its baseline.

    Args:
        settings: of the function.
        cloudformation: boto3 client, as the following.
        sagemaker: knows the champion's package.
        s3: holds the baseline.
        cloudwatch: holds the metrics of the traffic.
        now: the time in UTC.

    Raises:
        DriftError: ChampionUnreadable, BaselineInvalid, TrafficUnreadable.
        GateError: ServingUnknown or StorageError, of the modules that are the gate's too.
    """
    champion = find_champion(cloudformation, sagemaker, settings.serving_stack)
    if champion is None:
        return Found(nothing_said="no model package serves")
    if champion.problem is not None:
        raise ChampionUnreadable(champion.problem)
    if champion.baseline_uri is None:
        return Found(champion.version, nothing_said="the champion's package has no baseline")
    baseline = parse_baseline(ObjectStore(s3).read(champion.baseline_uri), champion.baseline_uri)
    if not baseline.predictions:
        return Found(champion.version, nothing_said="the champion was registered without answers to test sentences")
    traffic = Traffic(cloudwatch, namespace=settings.namespace, service=settings.predict_service).newest(
        champion.version,
        list(baseline.labels),
        sample=settings.sample,
        since=timedelta(hours=settings.window_hours),
        now=now,
    )
    if traffic.predictions < settings.sample:
        return Found(champion.version, traffic.predictions, nothing_said=f"fewer than {settings.sample} predictions")
    return Found(champion.version, traffic.predictions, shifts(baseline, traffic))


def shifts(baseline: Counts, traffic: Counts) -> dict[str, Shift]:
    """How far each feature has moved; both have counted at least one prediction."""
    found = {LABEL: compare(list(baseline.labels.values()), [traffic.labels[label] for label in baseline.labels])}
    for feature in FEATURES:
        found[feature.name] = compare(*join_rare(baseline.bins[feature.name], traffic.bins[feature.name]))
    return found
