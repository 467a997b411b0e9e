"""A training run's files in a fake AWS."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from aws_fakes import FakeCloudFormation, FakeS3, FakeSageMaker

BUCKET = "artifacts"
OUTPUT_URI = f"s3://{BUCKET}/training/job-1/output/output.tar.gz"
ENVIRONMENT = {
    "ARTIFACTS_BUCKET": BUCKET,
    "EVIDENCE_PREFIX": "evidence",
    "SERVING_STACK": "text-classifier-dev-serving",
    "PREFIX": "text-classifier-dev",
    "MODEL_PACKAGE_GROUP": "text-classifier-dev",
}
LABELS = ("not helpful", "helpful")
PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/text-classifier-dev/7"


class World:
    """A finished training run with its evidence; every method changes one thing about it."""

    def __init__(self) -> None:
        self.s3 = FakeS3()
        self.cloudformation = FakeCloudFormation()
        self.sagemaker = FakeSageMaker()
        self.environment = dict(ENVIRONMENT)
        generator = random.Random(7)
        self.labels = [int(generator.random() < 0.6) for _ in range(400)]
        self.rows = [
            {"text": "word " * (1 + place % 25) + f"№ {place}", "label": label, "family": f"f{place % 4}"}
            for place, label in enumerate(self.labels)
        ]
        self.put_output()
        self.s3.objects["s3://artifacts/new/model.tar.gz"] = b"the challenger"

    def put_output(self, **files: bytes | None) -> None:
        """Writes `output.tar.gz`; a keyword (dots as `__`) replaces a file, None leaves it out."""
        content: dict[str, bytes | None] = {
            "test_rows.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows).encode(),
            "evaluation.json": json.dumps({"labels": LABELS}).encode(),
            **{name.replace("__", "."): value for name, value in files.items()},
        }
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for name, value in content.items():
                if value is not None:
                    entry = tarfile.TarInfo(f"./{name}")
                    entry.size = len(value)
                    archive.addfile(entry, io.BytesIO(value))
        self.s3.objects[OUTPUT_URI] = buffer.getvalue()

    def serve(self, package_arn: str = PACKAGE, model_data: str = "s3://artifacts/old/model.tar.gz") -> None:
        """Makes a package the champion."""
        self.cloudformation.package_arn = package_arn
        self.s3.objects.setdefault(model_data, b"the champion")
        container = {"Image": "image:1", "ModelDataUrl": model_data, "Environment": {"HF_TASK": "text-classification"}}
        self.sagemaker.containers[package_arn] = [container]

    def plan_payload(self, **changes: Any) -> dict[str, Any]:
        return {
            "execution": "run-1",
            "job_name": "job-1",
            "model_data": "s3://artifacts/new/model.tar.gz",
            "output_uri": OUTPUT_URI,
            "image": "image:1",
            "environment": {"HF_TASK": "text-classification"},
            **changes,
        }

    def plan(self, token: str = "abc123", **changes: Any) -> dict[str, Any]:
        from gate import plan

        clients = {"s3": self.s3, "cloudformation": self.cloudformation, "sagemaker": self.sagemaker}
        return plan.run(self.plan_payload(**changes), self.environment, **clients, token=token)

    def answer(self, plan: dict[str, Any], who: str, answers: Sequence[int]) -> None:
        """Writes what batch transform would."""
        self.s3.objects[address(plan, who)] = answer_lines(answers)

    def recorded(self, plan: dict[str, Any], who: str) -> dict[str, str]:
        """What is recorded of a model's answers right after the job."""
        uri = address(plan, who)
        return {"uri": uri, "version": "", "sha256": hashlib.sha256(self.s3.objects.get(uri, b"")).hexdigest()}

    def wrong(self, count: int, start: int = 0) -> list[int]:
        """Answers of which `count` are wrong, from row `start` on."""
        wrong = range(start, start + count)
        return [1 - label if place in wrong else label for place, label in enumerate(self.labels)]

    def judge(
        self,
        plan: dict[str, Any],
        *,
        approval: str = "auto",
        mode: str = "train",
        scores: Sequence[dict[str, Any]] = (),
        gate: dict[str, float] | None = None,
        tuning: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        from datetime import UTC, datetime

        from gate import judge

        told = {score["who"]: score for score in scores}
        asked = [item["who"] for item in plan["to_score"]]
        answered = {who: {"who": who, "error": None, "evidence": self.recorded(plan, who)} for who in asked}
        scores = [*{**answered, **told}.values()]
        thresholds = gate or {"min_accuracy": 0.8, "min_f1": 0.8, "margin": 0.0275}
        training = {
            "job_name": "job-1",
            "model_data": "s3://artifacts/new/model.tar.gz",
            "output_uri": OUTPUT_URI,
            "hyperparameters": {"epochs": "2", "sagemaker_submit_directory": '"s3://bucket/code/0abc.tar.gz"'},
            "metrics": {"test_accuracy": 0.9},
            "data_source": "s3://data/train",
            **({"tuning": tuning} if tuning else {}),
        }
        payload = {
            "request": {"mode": mode, "gate": thresholds, "approval": approval},
            "plan": plan,
            "scores": list(scores),
            "training": training,
            "data": None,
        }
        return judge.run(payload, self.environment, self.s3, datetime(2026, 1, 1, tzinfo=UTC))

    def scored(
        self, challenger: Sequence[int], champion: Sequence[int] | None = None, **options: Any
    ) -> dict[str, Any]:
        """Plans, answers for both, judges."""
        if champion is not None:
            self.serve()
        plan = self.plan()
        self.answer(plan, "challenger", challenger)
        if champion is not None:
            self.answer(plan, "champion", champion)
        return self.judge(plan, **options)


def address(plan: dict[str, Any], who: str) -> str:
    """Where a planned model's answers belong."""
    (uri,) = [item["evidence_uri"] for item in plan["to_score"] if item["who"] == who]
    return str(uri)


def answer_lines(answers: Sequence[int]) -> bytes:
    """The `.out` file of these labels."""
    lines = [
        {
            "predictions": [{"label": LABELS[answer], "confidence": 0.9, "score": None, "truncated": False}],
            "model": {"version": None},
        }
        for answer in answers
    ]
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def package() -> str:
    """ARN of the champion that `World.serve` makes."""
    return PACKAGE


@pytest.fixture
def lines() -> Callable[[Sequence[int]], bytes]:
    return answer_lines
