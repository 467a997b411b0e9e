"""Values of a template as the deployed stack has them: names and ARNs instead of references."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
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
}
# `Ref` of these is the ARN; of all others the name.
_REFERRED_BY_ARN = ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine")
_BUCKETS = ("Artifacts", "Data", "Logs")


class TemplateValues:
    """Resolves what a template refers to, imports from the other templates of the environment included.

    Attributes:
        template: the template.
    """

    def __init__(self, template: Mapping[str, Any], others: list[Mapping[str, Any]]) -> None:
        self.template = template
        self._others = others

    def resolve(self, value: Any) -> Any:
        """A value without references in it. Raises KeyError for a function it doesn't know."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Fn::Join":
                return argument[0].join(self.resolve(part) for part in argument[1])
            if function == "Ref":
                return _PSEUDO.get(argument) or self._resource(argument, "Ref")
            if function == "Fn::GetAtt":
                return self._resource(argument[0], argument[1])
            if function == "Fn::ImportValue":
                return self._import(argument)
            if function == "Fn::Sub":
                return re.sub(r"\$\{([\w:]+)\}", lambda found: str(self.resolve({"Ref": found[1]})), argument)
            if function.startswith("Fn::"):
                raise KeyError(f"{function} in {value}")
        return {key: self.resolve(item) for key, item in value.items()}

    def definition(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """The definition of a state machine resource."""
        loaded: dict[str, Any] = json.loads(self.resolve(machine["Properties"]["DefinitionString"]))
        return loaded

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
            if attribute == "Ref" and kind not in _REFERRED_BY_ARN:
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
