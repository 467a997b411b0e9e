"""Values of a template as the deployed stack has them: names and ARNs instead of references."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

ACCOUNT, REGION = "111122223333", "us-east-1"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/own"
_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
}
_NAMED = {
    "AWS::IAM::Role": ("RoleName", f"arn:aws:iam::{ACCOUNT}:role/"),
    "AWS::Lambda::Function": ("FunctionName", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:"),
    "AWS::SNS::Topic": ("TopicName", f"arn:aws:sns:{REGION}:{ACCOUNT}:"),
    "AWS::Logs::LogGroup": ("LogGroupName", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"),
    "AWS::ECR::Repository": ("RepositoryName", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/"),
    "AWS::CodeBuild::Project": ("Name", f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/"),
    "AWS::SageMaker::Model": ("ModelName", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/"),
    "AWS::SageMaker::EndpointConfig": ("EndpointConfigName", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint-config/"),
}
# `Ref` of these is the ARN; of all others the name.
_REFERRED_BY_ARN = ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine")
_BUCKETS = ("Artifacts", "Data", "Logs")


class TemplateValues:
    """Resolves what a template refers to, imports from the other templates of the environment included.

    Attributes:
        template: the template.
        parameters: values of its parameters.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        others: list[Mapping[str, Any]],
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        self.template = template
        self.parameters = parameters or {}
        self._others = others
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._refer,
            "Fn::GetAtt": lambda path: self._resource(path[0], path[1]),
            "Fn::ImportValue": self._import,
            "Fn::Sub": lambda text: re.sub(r"\$\{([\w:]+)\}", lambda found: str(self._refer(found[1])), text),
            "Fn::Join": lambda given: given[0].join(self.resolve(part) for part in given[1]),
            "Fn::Split": lambda given: self.resolve(given[1]).split(given[0]),
            "Fn::Select": lambda given: self.resolve(given[1])[given[0]],
            "Fn::If": lambda given: self.resolve(given[1 if self._holds(given[0]) else 2]),
            "Fn::Equals": lambda given: self.resolve(given[0]) == self.resolve(given[1]),
            "Fn::Not": lambda given: not self.resolve(given[0]),
            "Fn::Or": lambda given: any(self.resolve(given)),
        }

    def existing(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of a type by logical id, of those that the conditions let exist."""
        return {
            logical_id: self.resolve(resource["Properties"])
            for logical_id, resource in self.template["Resources"].items()
            if resource["Type"] == kind and self._holds(resource.get("Condition"))
        }

    def resolve(self, value: Any) -> Any:
        """A value without references in it. Raises KeyError for a function it doesn't know."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function in self._functions:
                return self._functions[function](argument)
            if function.startswith("Fn::"):
                raise KeyError(f"{function} in {value}")
        return {key: self.resolve(item) for key, item in value.items()}

    def definition(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """The definition of a state machine resource."""
        loaded: dict[str, Any] = json.loads(self.resolve(machine["Properties"]["DefinitionString"]))
        return loaded

    def _refer(self, name: str) -> str:
        known = {**_PSEUDO, **self.parameters}
        return known[name] if name in known else self._resource(name, "Ref")

    def _holds(self, condition: str | None) -> bool:
        return condition is None or bool(self.resolve(self.template["Conditions"][condition]))

    def _resource(self, logical_id: str, attribute: str) -> str:
        resource = self.template["Resources"][logical_id]
        kind = resource["Type"]
        if kind == "AWS::S3::Bucket":
            name = next(name.lower() for name in _BUCKETS if logical_id.startswith(name))
            return f"arn:aws:s3:::{name}" if attribute == "Arn" else name
        if kind == "AWS::KMS::Key":
            return KEY_ARN
        if kind in _NAMED:
            member, prefix = _NAMED[kind]
            name = self.resolve(resource["Properties"][member])
            if attribute in ("Ref", member) and kind not in _REFERRED_BY_ARN:
                return str(name)
            streams = ":*" if kind == "AWS::Logs::LogGroup" else ""
            return f"{prefix}{name}{streams}"
        return f"<{logical_id}.{attribute}>"

    def _import(self, export: Any) -> Any:
        for template in self._others:
            for output in template.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == export:
                    return TemplateValues(template, self._others).resolve(output["Value"])
        raise KeyError(f"no stack exports {export}")
