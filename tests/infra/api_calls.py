"""What a task of a workflow asks of AWS: the API call with its parameters, and the rights that it takes."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.validate import ParamValidator
from policies import Need
from template_values import ACCOUNT, REGION

_CLIENTS = {"sfn": "stepfunctions"}
_SYNC_RULES = {
    "createTrainingJob": "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    "createTransformJob": "StepFunctionsGetEventsForSageMakerTransformJobsRule",
    "createProcessingJob": "StepFunctionsGetEventsForSageMakerProcessingJobsRule",
    # The README of aws/aws-step-functions-data-science-sdk-python grants it under this name.
    "createHyperParameterTuningJob": "StepFunctionsGetEventsForSageMakerTuningJobsRule",
}


@dataclass(frozen=True)
class Call:
    """One call of one state.

    Attributes:
        state: name of the state.
        service: such as ``sagemaker``.
        action: such as ``createModel``.
        sdk: whether it is an AWS SDK integration, whose parameters are spelt as in the Java SDK.
        sync: whether Step Functions waits for the job's end.
        arguments: the parameters.
    """

    state: str
    service: str
    action: str
    sdk: bool
    sync: bool
    arguments: dict[str, Any]

    @classmethod
    def of(cls, state: str, resource: str, arguments: dict[str, Any]) -> Call:
        """Read a task's resource, e.g. ``arn:aws:states:::aws-sdk:sagemaker:createModel``."""
        found = re.fullmatch(r"arn:aws:states:::(aws-sdk:)?(\w+):(\w+)(\.sync)?", resource)
        assert found, resource
        sdk, service, action, sync = found.groups()
        return cls(state, service, action, bool(sdk), bool(sync), arguments)


def parameter_problems(call: Call) -> list[str]:
    """What AWS would find wrong with the parameters: names, types, required ones, values, patterns, lengths."""
    shape = _model(call.service).operation_model(call.action[0].upper() + call.action[1:]).input_shape
    problems: list[str] = []
    request = _as_api(call.arguments, shape, call.sdk, problems)
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        problems.append(report.generate_report())
    else:
        _check_values(request, shape, call.action, problems)
    return problems


def needs(call: Call) -> list[Need]:
    """The rights that a call takes, dependent ones included. Raises KeyError for a call it doesn't know."""
    return _NEEDS[call.action](call, call.arguments)


@functools.cache
def _model(service: str) -> Any:
    return boto3.client(_CLIENTS.get(service, service), region_name=REGION).meta.service_model  # type: ignore[call-overload]


def sdk_name(member: str) -> str:
    """A member's name in the Java SDK, with a capital: only an acronym at its beginning is respelt (`DbArn`)."""
    found = re.match(r"[A-Z]+(?=[A-Z][a-z])", member)
    if found:
        return found[0].capitalize() + member[found.end() :]
    return member[:1].upper() + member[1:]


def _as_api(value: Any, shape: Any, sdk: bool, problems: list[str]) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {sdk_name(name) if sdk else name: name for name in shape.members}
        unknown = sorted(set(value) - set(members))
        if unknown:
            problems.append(f"{shape.name} has no {unknown}")
        return {
            members[name]: _as_api(item, shape.members[members[name]], sdk, problems)
            for name, item in value.items()
            if name in members
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_as_api(item, shape.member, sdk, problems) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: _as_api(item, shape.value, sdk, problems) for name, item in value.items()}
    if shape.type_name == "blob" and not isinstance(value, (str, bytes)):
        return json.dumps(value)  # Lambda's payload
    return value


def _check_values(value: Any, shape: Any, where: str, problems: list[str]) -> None:
    if shape.type_name == "structure":
        for name, item in value.items():
            _check_values(item, shape.members[name], f"{where}.{name}", problems)
        return
    if shape.type_name == "list":
        for item in value:
            _check_values(item, shape.member, where, problems)
    if shape.type_name == "map":
        for name, item in value.items():
            _check_values(name, shape.key, f"{where} key", problems)
            _check_values(item, shape.value, f"{where}.{name}", problems)
    size = value if isinstance(value, (int, float)) else len(value)
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if not isinstance(value, bool) and ((low is not None and size < low) or (high is not None and size > high)):
        problems.append(f"{where} {value!r} is not within {low} and {high}")
    if shape.type_name == "string":
        _check_text(value, shape, where, problems)


def _check_text(value: str, shape: Any, where: str, problems: list[str]) -> None:
    if shape.enum and value not in shape.enum:
        problems.append(f"{where} {value!r} is not one of {shape.enum}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(_python_pattern(pattern), value):
        problems.append(f"{where} {value!r} does not match {pattern}")


def _python_pattern(pattern: str) -> str:
    # Unicode classes as Python has them; the registry's patterns hold a `$` before their length, which says nothing.
    for java, python in _CLASSES.items():
        pattern = pattern.replace(java, python)
    return pattern


_MARKS = r"!-/:-@\[-`{-~\u00a1-\u00bf\u2010-\u2bff"  # punctuation and symbols, as far as messages hold them
_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\p{M}": "",
    r"\p{P}": _MARKS,
    r"\p{S}": "",
    "${": "{",
}


def _sagemaker(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name.lower()}"


def _pass_role(arn: str, service: str) -> Need:
    return Need("iam:PassRole", arn, {"iam:PassedToService": f"{service}.amazonaws.com"})


def _job(call: Call, kind: str, noun: str, name: str) -> list[Need]:
    verbs = ["Create", "Describe", "Stop"] if call.sync else ["Create"]
    found = [Need(f"sagemaker:{verb}{noun}", _sagemaker(kind, name)) for verb in verbs]
    if call.sync:
        rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{_SYNC_RULES[call.action]}"
        found += [Need(f"events:{action}", rule) for action in ("PutTargets", "PutRule", "DescribeRule")]
    return found + _tags(call, _sagemaker(kind, name))


def _tags(call: Call, arn: str) -> list[Need]:
    return [Need("sagemaker:AddTags", arn)] if call.arguments.get("Tags") else []


def _create_training_job(call: Call, given: dict[str, Any]) -> list[Need]:
    job = _job(call, "training-job", "TrainingJob", given["TrainingJobName"])
    return [*job, _pass_role(given["RoleArn"], "sagemaker")]


def _create_tuning_job(call: Call, given: dict[str, Any]) -> list[Need]:
    name = given["HyperParameterTuningJobName"]
    job = _job(call, "hyper-parameter-tuning-job", "HyperParameterTuningJob", name)
    return [*job, _pass_role(given["TrainingJobDefinition"]["RoleArn"], "sagemaker")]


def _create_transform_job(call: Call, given: dict[str, Any]) -> list[Need]:
    return _job(call, "transform-job", "TransformJob", given["TransformJobName"])


def _create_processing_job(call: Call, given: dict[str, Any]) -> list[Need]:
    job = _job(call, "processing-job", "ProcessingJob", given["ProcessingJobName"])
    return [*job, _pass_role(given["RoleArn"], "sagemaker")]


def _create_model(call: Call, given: dict[str, Any]) -> list[Need]:
    arn, package = _sagemaker("model", given["ModelName"]), given["PrimaryContainer"].get("ModelPackageName")
    made = [Need("sagemaker:CreateModel", one) for one in (arn, package) if one]
    return [*made, _pass_role(given["ExecutionRoleArn"], "sagemaker"), *_tags(call, arn)]


def _create_model_package(call: Call, given: dict[str, Any]) -> list[Need]:
    group = given["ModelPackageGroupName"]
    container = given["InferenceSpecification"]["Containers"][0]
    registry, _, repository = container["Image"].partition("/")
    images = f"arn:aws:ecr:{registry.split('.')[3]}:{registry.split('.')[0]}:repository/{repository.partition(':')[0]}"
    return [
        Need("sagemaker:CreateModelPackage", _sagemaker("model-package-group", group)),
        Need("sagemaker:CreateModelPackage", _sagemaker("model-package", f"{group}/8")),
        # SageMaker looks at image and artifact with the caller's rights.
        Need("ecr:BatchGetImage", images),
        Need("s3:GetObject", container["ModelDataUrl"].replace("s3://", "arn:aws:s3:::")),
        *_tags(call, _sagemaker("model-package", f"{group}/8")),
    ]


def _update_stack(call: Call, given: dict[str, Any]) -> list[Need]:
    role = given["RoleARN"]
    return [
        Need("cloudformation:UpdateStack", _stack(given), {"cloudformation:RoleArn": role}),
        _pass_role(role, "cloudformation"),
    ]


def _stack(given: dict[str, Any]) -> str:
    return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{given['StackName']}/5f1c"


def _one(action: str, resource: Callable[[dict[str, Any]], str]) -> Callable[[Call, dict[str, Any]], list[Need]]:
    return lambda _, given: [Need(action, resource(given))]


_NEEDS: dict[str, Callable[[Call, dict[str, Any]], list[Need]]] = {
    "createTrainingJob": _create_training_job,
    "createTransformJob": _create_transform_job,
    "createProcessingJob": _create_processing_job,
    "putObject": _one("s3:PutObject", lambda given: f"arn:aws:s3:::{given['Bucket']}/{given['Key']}"),
    "createHyperParameterTuningJob": _create_tuning_job,
    "listTrainingJobsForHyperParameterTuningJob": _one(
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        lambda given: _sagemaker("hyper-parameter-tuning-job", given["HyperParameterTuningJobName"]),
    ),
    "describeTrainingJob": _one(
        "sagemaker:DescribeTrainingJob", lambda given: _sagemaker("training-job", given["TrainingJobName"])
    ),
    "createModel": _create_model,
    "stopTransformJob": _one(
        "sagemaker:StopTransformJob", lambda given: _sagemaker("transform-job", given["TransformJobName"])
    ),
    "deleteModel": _one("sagemaker:DeleteModel", lambda given: _sagemaker("model", given["ModelName"])),
    "createModelPackage": _create_model_package,
    "updateModelPackage": _one("sagemaker:UpdateModelPackage", lambda given: given["ModelPackageArn"]),
    "describeModelPackage": _one("sagemaker:DescribeModelPackage", lambda given: given["ModelPackageName"]),
    "describeEndpoint": _one(
        "sagemaker:DescribeEndpoint",
        lambda given: f"arn:aws:sagemaker:us-east-1:111122223333:endpoint/{given['EndpointName']}",
    ),
    "updateStack": _update_stack,
    "describeStacks": _one("cloudformation:DescribeStacks", _stack),
    "describeStackEvents": _one("cloudformation:DescribeStackEvents", _stack),
    "listExecutions": _one("states:ListExecutions", lambda given: given["StateMachineArn"]),
    "publish": _one("sns:Publish", lambda given: given["TopicArn"]),
    "invoke": _one("lambda:InvokeFunction", lambda given: given["FunctionName"]),
}
