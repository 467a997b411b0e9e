"""Tuning jobs: real training jobs with values of Optuna's, a few at a time, and the best of them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from local.sagemaker.common.errors import ServiceError
from local.sagemaker.tuning.study import new_study

# Real processes.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::UserWarning:optuna")]
GOOD = """
    import os
    x = float(os.environ["SM_HP_X"])
    print(f"objective={1 - (x - 0.3) ** 2:.6f}")
"""
NUMBER = {"Name": "x", "MinValue": "0", "MaxValue": "1"}


def definition(code: dict[str, str]) -> dict[str, Any]:
    """What the training jobs have in common; `code`: the hyperparameters that name theirs."""
    return {
        "AlgorithmSpecification": {
            "TrainingImage": "acct/training:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "goal", "Regex": "objective=([0-9.]+)"}],
        },
        "RoleArn": "arn:aws:iam::000000000000:role/worker",
        "StaticHyperParameters": code,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def config(most: int = 3, parallel: int = 2, **more: Any) -> dict[str, Any]:
    """A HyperParameterTuningJobConfig with the range `x` from 0 to 1."""
    return {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "goal"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": most, "MaxParallelTrainingJobs": parallel},
        "ParameterRanges": {"ContinuousParameterRanges": [NUMBER]},
        "RandomSeed": 1,
        **more,
    }


def tune(cloud: Any, script: str = GOOD, *, settings: dict[str, Any] | None = None, **more: Any) -> None:
    cloud.call(
        "CreateHyperParameterTuningJob",
        HyperParameterTuningJobName="tuning",
        HyperParameterTuningJobConfig=settings or config(),
        TrainingJobDefinition=definition(cloud.put_code(script)) | more,
        Tags=[{"Key": "project", "Value": "text"}],
    )


def study(**settings: Any) -> tuple[Any, dict[str, Any]]:
    """A study for a request with these settings, and the distributions of its trials."""
    return new_study({"HyperParameterTuningJobConfig": config(**settings), "TrainingJobDefinition": definition({})})


def described(cloud: Any) -> dict[str, Any]:
    return cloud.call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName="tuning")


def trials(cloud: Any, **more: Any) -> list[dict[str, Any]]:
    answer = cloud.call("ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName="tuning", **more)
    return list(answer["TrainingJobSummaries"])


def ended(cloud: Any) -> dict[str, Any]:
    """The description of the tuning job once it has ended."""
    deadline = time.monotonic() + 60
    while (job := described(cloud))["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping"):
        assert time.monotonic() < deadline, job
        time.sleep(0.05)
    return dict(job)


def test_best_completed_training_job_is_named(cloud: Any) -> None:
    """Each trial is a training job with values in the range; the one with the best objective is BestTrainingJob."""
    tune(cloud)
    job = ended(cloud)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == job["ObjectiveStatusCounters"]["Succeeded"] == 3
    made = trials(cloud)
    for number, trial in enumerate(made, 1):
        assert re.fullmatch(rf"tuning-{number:03d}-[0-9a-f]{{8}}", trial["TrainingJobName"])
        x, reached = float(trial["TunedHyperParameters"]["x"]), trial["FinalHyperParameterTuningJobObjectiveMetric"]
        assert 0 <= x <= 1 and reached["Value"] == pytest.approx(1 - (x - 0.3) ** 2, abs=1e-5)
    best = max(made, key=lambda trial: float(trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]))
    assert job["BestTrainingJob"] == best
    assert len({trial["TunedHyperParameters"]["x"] for trial in made}) == 3


def test_training_jobs_are_as_sagemaker_makes_them(cloud: Any) -> None:
    """Each has static and tuned values, the objective's name among them, the tuning job's ARN and its tags."""
    tune(cloud, settings=config(1, 1))
    arn = ended(cloud)["HyperParameterTuningJobArn"]
    assert arn.endswith(":hyper-parameter-tuning-job/tuning")
    (trial,) = trials(cloud)
    job = cloud.call("DescribeTrainingJob", TrainingJobName=trial["TrainingJobName"])
    assert job["TuningJobArn"] == arn
    assert job["HyperParameters"]["x"] == trial["TunedHyperParameters"]["x"]
    assert job["HyperParameters"]["_tuning_objective_metric"] == "goal"
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"{trial['TrainingJobName']}/output/model.tar.gz")
    tags = cloud.call("ListTags", ResourceArn=job["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "project", "Value": "text"}]


def test_never_more_than_wanted_run_at_a_time(cloud: Any) -> None:
    """With a limit of two, the third begins when one of the first two has ended."""
    tune(cloud, "import time; time.sleep(0.5); print('objective=1')", settings=config(4, 2))
    ended(cloud)
    made = trials(cloud)
    assert len(made) == 4
    for one in made:
        begun = one["CreationTime"]
        assert sum(other["CreationTime"] <= begun < other["TrainingEndTime"] for other in made) <= 2


def test_some_failures_do_not_fail_the_tuning_job(cloud: Any) -> None:
    """A trial that fails has its reason; the best of the others is found all the same."""
    fails = GOOD + "    if x > 0.4: raise SystemExit(3)\n"
    tune(cloud, fails, settings=config(3, 1))  # x: 0.42, 0.72, 0.0001
    job = ended(cloud)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 2
    failed = trials(cloud, StatusEquals="Failed")
    assert len(failed) == 2 and all("AlgorithmError" in one["FailureReason"] for one in failed)
    assert {one["ObjectiveStatus"] for one in failed} == {"Failed"}
    assert float(job["BestTrainingJob"]["TunedHyperParameters"]["x"]) < 0.4


def test_when_none_succeeds_the_tuning_job_fails_after_five(cloud: Any) -> None:
    """Five training jobs without a success end it, as on AWS; a run without the metric counts as none."""
    tune(cloud, "print('no objective')", settings=config(20, 4))
    job = ended(cloud)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("No training job succeeded after ")
    assert 5 <= len(trials(cloud)) <= 8
    assert "BestTrainingJob" not in job


EPOCHS = """
    import os, time
    last = os.environ["TRAINING_JOB_NAME"].startswith("tuning-003")
    for epoch in range(4):
        print(f"objective={0.2 if last else 0.7}", flush=True)
        time.sleep(0.6 if last else 0.05)
"""


@pytest.mark.parametrize("early", ["Auto", "Off"])
def test_early_stopping_stops_what_is_worse_than_the_median(cloud: Any, early: str) -> None:
    """A trial whose value after an epoch is below the median of the earlier ones is stopped; without Auto it is not."""
    tune(cloud, EPOCHS, settings=config(3, 1, TrainingJobEarlyStoppingType=early))
    job = ended(cloud)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    stopped = [one["TrainingJobName"][:10] for one in trials(cloud, StatusEquals="Stopped")]
    assert stopped == (["tuning-003"] if early == "Auto" else [])
    assert job["BestTrainingJob"]["TrainingJobStatus"] == "Completed"


def test_stopping_stops_its_training_jobs(cloud: Any) -> None:
    """StopHyperParameterTuningJob ends what runs; nothing new is started, and it is Stopped."""
    tune(cloud, "import time; print('objective=1', flush=True); time.sleep(60)", settings=config(4, 2))
    cloud.until(lambda: [one["TrainingJobStatus"] for one in trials(cloud)], lambda found: found == ["InProgress"] * 2)
    cloud.call("StopHyperParameterTuningJob", HyperParameterTuningJobName="tuning")
    assert ended(cloud)["HyperParameterTuningJobStatus"] == "Stopped"
    assert [one["TrainingJobStatus"] for one in trials(cloud)] == ["Stopped"] * 2


def test_interrupted_tuning_job_has_failed(cloud: Any) -> None:
    """After a restart a tuning job that ran is Failed, as its training jobs are, and all are still listed."""
    tune(cloud, "import time; time.sleep(60)")
    cloud.until(lambda: trials(cloud), lambda found: len(found) == 2)
    cloud.restart()
    job = described(cloud)
    assert (job["HyperParameterTuningJobStatus"], job["FailureReason"]) == (
        "Failed",
        "The local cloud was stopped while the job was running",
    )
    assert [one["TrainingJobStatus"] for one in trials(cloud)] == ["Failed"] * 2


def test_room_that_other_jobs_take_is_waited_for(start_cloud: Callable[..., Any]) -> None:
    """Where the account's limit is reached, the next training job waits; none fails for it."""
    cloud = start_cloud(max_training_jobs=1)
    cloud.train("import time; time.sleep(1)", name="other")
    tune(cloud, settings=config(2, 2))
    assert ended(cloud)["TrainingJobStatusCounters"]["Completed"] == 2


@pytest.mark.parametrize(
    ("settings", "more", "said"),
    [
        (config(Strategy="Hyperband"), {}, "Hyperband"),
        (config(most=1, parallel=2), {}, "no more parallel training jobs than"),
        (config(ParameterRanges={}), {}, "needs an objective .* and ranges"),
        (
            config(ParameterRanges={"IntegerParameterRanges": [{**NUMBER, "Name": "sagemaker_program"}]}),
            {},
            "not static",
        ),
        (
            config(ParameterRanges={"ContinuousParameterRanges": [{**NUMBER, "MaxValue": "-1"}]}),
            {},
            "range is impossible",
        ),
        (
            config(ParameterRanges={"IntegerParameterRanges": [{**NUMBER, "MaxValue": "many"}]}),
            {},
            "range is impossible",
        ),
        (
            config(ParameterRanges={"ContinuousParameterRanges": [{**NUMBER, "ScalingType": "Logarithmic"}]}),
            {},
            "range is impossible",
        ),
        (
            config(ParameterRanges={"ContinuousParameterRanges": [{**NUMBER, "ScalingType": "ReverseLogarithmic"}]}),
            {},
            "ReverseLogarithmic",
        ),
        (
            config(HyperParameterTuningJobObjective={"Type": "Maximize", "MetricName": "other"}),
            {},
            "out of MetricDefinitions",
        ),
        (config(), {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 9}}, "at most 4"),
    ],
)
def test_what_cannot_work_is_refused(cloud: Any, settings: dict[str, Any], more: dict[str, Any], said: str) -> None:
    """What AWS refuses and what is not part of the local cloud is refused before anything starts."""
    with pytest.raises(ServiceError, match=said):
        tune(cloud, settings=settings, **more)


def test_missing_and_taken_names(cloud: Any) -> None:
    """An unknown tuning job is not found; a name can be used once, and is listed."""
    with pytest.raises(ServiceError, match="not found"):
        described(cloud)
    tune(cloud, settings=config(1, 1))
    with pytest.raises(ServiceError) as refused:
        tune(cloud)
    assert refused.value.code == "ResourceInUse"
    listed = cloud.call("ListHyperParameterTuningJobs")["HyperParameterTuningJobSummaries"]
    assert [one["HyperParameterTuningJobName"] for one in listed] == ["tuning"]


def test_bayesian_strategy_learns() -> None:
    """After a few trials of a simple function it tries better values than at random."""
    reached: dict[str, list[float]] = {"Bayesian": [], "Random": []}
    for strategy, best in reached.items():
        for seed in range(5):
            made, distributions = study(Strategy=strategy, RandomSeed=seed)
            values = []
            for _ in range(20):
                trial = made.ask(distributions)
                values.append(1 - (trial.params["x"] - 0.3) ** 2)
                made.tell(trial, values[-1])
            best.append(sum(values[10:]) / 10)
    assert sum(reached["Bayesian"]) > sum(reached["Random"]) + 0.2


def test_distributions_follow_the_ranges() -> None:
    """Whole numbers, fractions and values; a logarithmic scale where asked for, or with Auto over a wide range."""
    wide = {"Name": "rate", "MinValue": "1e-5", "MaxValue": "1e-2", "ScalingType": "Auto"}
    whole = {"Name": "epochs", "MinValue": "2", "MaxValue": "8", "ScalingType": "Linear"}
    named = {"Name": "kind", "Values": ["a", "b"]}
    ranges = {
        "ContinuousParameterRanges": [wide, NUMBER],
        "IntegerParameterRanges": [whole],
        "CategoricalParameterRanges": [named],
    }
    _, found = study(ParameterRanges=ranges)
    assert (found["rate"].log, found["x"].log, found["epochs"].log) == (True, False, False)
    assert (found["epochs"].low, found["epochs"].high, found["kind"].choices) == (2, 8, ("a", "b"))
