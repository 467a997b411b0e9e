"""What a tuning job tries: a study of Optuna's, and the training job of one trial.

Optuna lies in a folder of its own, because Lambda functions run in this environment and must not find its packages.
"""

import sys
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from local.sagemaker.api.validation import service_model
from local.sagemaker.common.errors import InvalidRequestError, ServiceError, UnsupportedError
from local.sagemaker.training import request as training_request

PACKAGES = Path(__file__).resolve().parents[3] / "build" / "sampler"
_NUMBERS: dict[str, type] = {"IntegerParameterRanges": int, "ContinuousParameterRanges": float}
_WIDE = 100
"""From this ratio of its ends on, a range with the scaling Auto is sampled on a logarithmic scale."""


def new_study(params: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a study for a CreateHyperParameterTuningJob request, and the distributions of its trials.

    Raises ServiceError: AWS or the local cloud refuses the request, or Optuna is not installed.
    """
    if str(PACKAGES) not in sys.path:
        sys.path.append(str(PACKAGES))
    try:
        import optuna
    except ImportError as error:
        message = f"There is no Optuna in {PACKAGES} ({error}); make setup puts it there."
        raise ServiceError("InternalFailure", message, 500) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", module="optuna")  # a value that is told twice, a trial without one
    # The first trials take random values. Those that still run count as bad, so that the next ones try others.
    bayesian: Any = partial(optuna.samplers.TPESampler, n_startup_trials=3, constant_liar=True)
    try:
        config, definition = params["HyperParameterTuningJobConfig"], params["TrainingJobDefinition"]
        limits, goal = config["ResourceLimits"], config["HyperParameterTuningJobObjective"]
        sampler: Any = {"Bayesian": bayesian, "Random": optuna.samplers.RandomSampler}[config["Strategy"]]
        tried = {
            one["Name"]: _distribution(optuna.distributions, kind, one)
            for kind, ranges in config["ParameterRanges"].items()
            for one in ranges
        }
        enough = limits["MaxNumberOfTrainingJobs"] >= limits["MaxParallelTrainingJobs"]
    except KeyError as error:
        raise UnsupportedError(f"a tuning job without {error}, or with it as a value") from error
    except ValueError as error:
        raise InvalidRequestError(f"A range is impossible: {error}") from error
    metrics = [one["Name"] for one in definition["AlgorithmSpecification"].get("MetricDefinitions", [])]
    static = definition.get("StaticHyperParameters", {})
    if goal["MetricName"] not in metrics or not enough or not tried or tried.keys() & static.keys():
        raise InvalidRequestError(
            "A tuning job needs an objective out of MetricDefinitions, no more parallel training jobs than training "
            "jobs, and ranges of hyperparameters that are not static."
        )
    training_request.check(training_job(params, "check", {}))
    pruner = optuna.pruners.MedianPruner(n_startup_trials=2, n_min_trials=2)
    made = sampler(seed=config.get("RandomSeed"))
    return optuna.create_study(sampler=made, pruner=pruner, direction=goal["Type"].lower()), tried


def training_job(params: Mapping[str, Any], name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the CreateTrainingJob request of a trial; SageMaker adds the objective's name to the hyperparameters."""
    definition, members = params["TrainingJobDefinition"], service_model().shape_for("CreateTrainingJobRequest").members
    objective = params["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
    fixed = {**definition.get("StaticHyperParameters", {}), "_tuning_objective_metric": objective}
    common = {member: value for member, value in definition.items() if member in members}
    return {**common, "TrainingJobName": name, "HyperParameters": {**fixed, **values}}


def _distribution(kinds: Any, kind: str, one: Mapping[str, Any]) -> Any:
    if kind not in _NUMBERS:
        return kinds.CategoricalDistribution(one["Values"])
    number, scale = _NUMBERS[kind], one.get("ScalingType", "Auto")
    low, high = number(one["MinValue"]), number(one["MaxValue"])
    log = {"Logarithmic": True, "Linear": False, "Auto": 0 < low * _WIDE <= high}[scale]
    return (kinds.IntDistribution if number is int else kinds.FloatDistribution)(low, high, log=log)
