"""Rights and workflows, in every configuration, before judges that are not ours: AWS's reference and two linters."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from authorisation import Statement, condition_keys, parliament, problems, resource_types
from conftest import ROOT
from template_values import KEY_ARN, TemplateValues

from local.emulator.sagemaker_bridge.sagemaker_arns import resource_arn
from local.sagemaker.common.names import Scope

if TYPE_CHECKING:
    from conftest import Assemblies

Configurations = dict[str, dict[str, Any]]


def documents(values: TemplateValues) -> Iterator[tuple[str, list[Statement]]]:
    """The policies of a template by the resource that holds them; trust policies are no rights."""
    for logical_id, resource in values.template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::KMS::Key":
            # In a key's own policy, * is that key.
            statements = properties["KeyPolicy"]["Statement"]
            yield logical_id, [_resolved({**one, "Resource": KEY_ARN}, values) for one in statements]
        held = [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
        held += [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        for document in held:
            yield logical_id, [_resolved(statement, values) for statement in document["Statement"]]


def _resolved(statement: Statement, values: TemplateValues) -> Statement:
    plain = values.resolve({name: value for name, value in statement.items() if name != "Principal"})
    return {**plain, "Principal": "*"} if "Principal" in statement else plain


def unique(templates: dict[str, TemplateValues]) -> Iterator[tuple[str, Statement]]:
    """Every statement once, with the resource that holds it."""
    found = {
        json.dumps(statement): logical_id
        for values in templates.values()
        for logical_id, statements in documents(values)
        for statement in statements
    }
    assert len(found) > 100
    yield from ((logical_id, json.loads(statement)) for statement, logical_id in found.items())


@pytest.fixture(scope="module")
def templates(configurations: Configurations) -> dict[str, TemplateValues]:
    """Every template, resolved, by configuration and stack."""
    return {
        f"{name}/{stack}": TemplateValues(template, list(stacks.values()))
        for name, stacks in configurations.items()
        for stack, template in stacks.items()
    }


def test_every_right_is_one_that_aws_knows(templates: dict[str, TemplateValues]) -> None:
    """Each action exists, supports the resources and condition keys it is given, and has `*` only where it must."""
    found = [(logical_id, problem) for logical_id, statement in unique(templates) for problem in problems(statement)]
    assert found == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"Action": "sagemaker:CreateModels"}, "no such action"),
        ({"Resource": "*"}, "is allowed on *"),
        ({"Resource": "arn:aws:sagemaker:us-east-1:111122223333:endpoint/a"}, "takes"),
        ({"Resource": "arn:aws:sagemaker:::model/a"}, "takes"),
        ({"Action": "ecr:GetAuthorizationToken"}, "has no resource-level permissions"),
        ({"Condition": {"StringEquals": {"iam:PassedToService": "x"}}}, "knows no condition key"),
        ({"NotResource": "a"}, "nobody looks at"),
    ],
)
def test_wrong_rights_are_noticed(changed: Statement, named: str) -> None:
    """A wrong action, resource, wildcard or condition key of a right statement is found."""
    right = {"Action": "sagemaker:CreateModel", "Resource": "arn:aws:sagemaker:us-east-1:111122223333:model/a"}
    assert list(problems(right)) == []
    assert [problem for problem in problems({**right, **changed}) if named in problem]


def parliament_findings(statements: Iterable[tuple[str, Statement]]) -> list[tuple[str, str]]:
    """What the linter has against statements, with the resource that holds each."""
    # Its data of resources are older than the reference's; of types it reports what AWS takes all the same.
    passed = {"RESOURCE_STAR", "RESOURCE_MISMATCH", "MISMATCHED_TYPE_BUT_USABLE"}
    return [
        (logical_id, str(finding))
        for logical_id, statement in statements
        if "Principal" not in statement
        for finding in parliament()
        .analyze_policy_string(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        .findings
        if finding.issue not in passed
    ]


def test_parliament_finds_nothing_in_the_roles(templates: dict[str, TemplateValues]) -> None:
    """The linter's checks of values and types pass as well; what needs `*` by AWS's reference it reports as minor."""
    assert parliament_findings(unique(templates)) == []


@pytest.mark.parametrize(
    ("action", "params"),
    [
        *(
            (f"{verb}{kind}", {f"{kind}Name": "a"})
            for kind in ("Model", "EndpointConfig", "Endpoint")
            for verb in ("Create", "Describe", "Delete")
        ),
        *(
            (f"{verb}{kind}Job", {f"{kind}JobName": "a"})
            for kind in ("Training", "Transform")
            for verb in ("Create", "Describe", "Stop")
        ),
        ("UpdateEndpoint", {"EndpointName": "a"}),
        ("ListModelPackages", {"ModelPackageGroupName": "a"}),
        ("CreateModelPackage", {"ModelPackageGroupName": "a"}),
        ("CreateModelPackageGroup", {"ModelPackageGroupName": "a"}),
    ],
)
def test_local_cloud_authorises_on_what_aws_names(action: str, params: dict[str, str]) -> None:
    """The ARN on which the local cloud decides is of a kind that AWS's reference lists for the action."""
    arn = resource_arn(action, params, Scope("111122223333", "us-east-1"))
    assert resource_types(f"sagemaker:{action}")
    assert list(problems({"Action": f"sagemaker:{action}", "Resource": arn})) == []


def test_condition_keys_of_the_local_cloud_exist() -> None:
    """The two keys that the local cloud adds to requests are keys of AWS for those calls."""
    assert "iam:PassedToService" in condition_keys("iam:PassRole")
    assert "cloudformation:RoleArn" in condition_keys("cloudformation:UpdateStack")


def test_services_that_say_their_account_are_held_to_ours(assemblies: Assemblies) -> None:
    """Roles of SageMaker, Step Functions, EventBridge and CodeBuild are taken for this account's resources only.

    Their documentation shows the condition; Lambda's, CloudFormation's and API Gateway's does not show it for a role.
    """
    seen: dict[str, set[str]] = {}
    for _, template in assemblies.all_templates():
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::IAM::Role":
                (statement,) = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
                condition = json.dumps(statement.get("Condition"))
                seen.setdefault(statement["Principal"]["Service"], set()).add(condition)
    ours = json.dumps({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}})
    held = {f"{name}.amazonaws.com" for name in ("sagemaker", "states", "events", "codebuild")}
    assert {service for service, conditions in seen.items() if conditions == {ours}} == held
    assert all(conditions == {"null"} for service, conditions in seen.items() if service not in held)


_VALIDATE = """
const validate = require("asl-validator");
const machines = JSON.parse(require("fs").readFileSync(0));
console.log(JSON.stringify(machines.map(machine => validate(machine).errorsText())));
"""


def validated(machines: list[Any]) -> list[str]:
    """What asl-validator has against each definition, as one text; `make setup` installs it."""
    command = [str(ROOT / ".venv" / "bin" / "node"), "-e", _VALIDATE]
    done = subprocess.run(command, input=json.dumps(machines), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def as_validator_reads(value: Any) -> Any:
    """A definition without what asl-validator 4.0.0 cannot read, though AWS can: expressions of lines, empty texts."""
    if isinstance(value, dict):
        return {name: as_validator_reads(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_validator_reads(item) for item in value]
    return (value.replace("\n", " ") or "empty") if isinstance(value, str) else value


def test_state_machines_are_valid(templates: dict[str, TemplateValues]) -> None:
    """asl-validator accepts every state machine of every configuration, and refuses one with a state left out."""
    machines = [
        values.definition(resource)
        for values in templates.values()
        for resource in values.template["Resources"].values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    ]
    assert len(machines) == 3 * len({where.partition("/")[0] for where in templates})
    broken = json.loads(json.dumps(machines[0]))
    del broken["States"][next(iter(broken["States"]))]
    different = {json.dumps(as_validator_reads(machine)): None for machine in (*machines, broken)}
    *accepted, refused = validated([json.loads(machine) for machine in different])
    assert set(accepted) == {""} and "MISSING_TRANSITION_TARGET" in refused


def test_search_expressions_quote_names(templates: dict[str, TemplateValues]) -> None:
    """In a SEARCH schema, a namespace or dimension with other than letters and digits stands in double quotes.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
    """
    bodies = [
        json.loads(values.resolve(resource["Properties"]["DashboardBody"]))
        for values in templates.values()
        for resource in values.template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Dashboard"
    ]
    schemas = {found for body in bodies for found in re.findall(r"SEARCH\('\{(.*?)\}", "\n".join(texts(body)))}
    assert len(schemas) >= 3
    for schema in schemas:
        assert all(re.fullmatch(r'[A-Za-z0-9]+|"[^"]+"', name) for name in schema.split(",")), schema


def test_metrics_are_ascii(templates: dict[str, TemplateValues]) -> None:
    """Dashboards and alarms name namespaces, metrics and dimensions in ASCII, the only letters CloudWatch takes."""
    named = [
        values.resolve(part)
        for values in templates.values()
        for resource in values.template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
        for name, part in resource["Properties"].items()
        if name in ("Namespace", "MetricName", "Dimensions", "Metrics")
    ]
    assert named and json.dumps(named, ensure_ascii=False).isascii()


def texts(value: Any) -> Iterator[str]:
    """All texts in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)
