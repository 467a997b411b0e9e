"""docs/rights.md against the templates: every right is in it, and is used by a workflow or has a reason."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from authorisation import as_list
from template_values import TemplateValues

import rights
from rights import Decision, Entry, Right

Configurations = dict[str, dict[str, Any]]
_BY_RESOURCE = {
    "AWS::S3::BucketPolicy": "bucket policy",
    "AWS::SNS::TopicPolicy": "topic policy",
    "AWS::KMS::Key": "policy of the own key",
    "AWS::EC2::VPCEndpoint": "gateway of isolated jobs",
}
"""What holds a policy that names its principals, and how the page calls it."""
DELIVERED = "delivered"
"""The configuration that has one stack more than another, and is looked at for that alone."""


def granted(values: TemplateValues, prefix: str) -> Iterator[Right]:
    """Every right that a template grants, one for each action and resource."""
    resources = values.template["Resources"]
    for resource in resources.values():
        kind, properties = resource["Type"], resource.get("Properties", {})
        held = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        held += [properties[name] for name in ("PolicyDocument", "KeyPolicy") if name in properties]
        if kind == "AWS::IAM::Policy":
            roles = [resources[one["Ref"]]["Properties"] for one in properties["Roles"]]
        else:
            roles = [properties]
        for statement in (one for document in held for one in document["Statement"] if one["Effect"] == "Allow"):
            whom = (
                [role["RoleName"] for role in roles]
                if kind in ("AWS::IAM::Role", "AWS::IAM::Policy")
                else [f"{_BY_RESOURCE[kind]}: {principal}" for principal in principals(statement["Principal"])]
            )
            for who in whom:
                for action in as_list(statement["Action"]):
                    for place in as_list(values.resolve(statement["Resource"])):
                        name = rights.short(values.resolve(who), prefix).removeprefix("<prefix>-")
                        yield Right(name, action, rights.short(place, prefix))
        if kind == "AWS::Lambda::Permission":
            function = rights.short(values.resolve(properties["FunctionName"]), prefix)
            yield Right(f"function policy: {properties['Principal']}", properties["Action"], function)


def principals(principal: Any) -> list[str]:
    """How the page calls those whom a statement of a resource's policy names."""
    if principal == "*":
        return ["anybody"]
    ((kind, named),) = principal.items()
    if kind == "Service":
        return [str(name).replace("us-east-1", "<region>") for name in as_list(named)]
    text = json.dumps(named)
    return ["anybody" if named == "*" else "the account" if ":root" in text else "CDK's emptying of removable buckets"]


@pytest.fixture(scope="module")
def table(configurations: Configurations, request: pytest.FixtureRequest) -> rights.Table:
    """The page as the templates have it, with the uses that it notes."""
    options: dict[Right, set[str]] = defaultdict(set)
    everywhere = {name.partition("-")[2] for name in configurations}
    for name, stacks in configurations.items():
        env, _, option = name.partition("-")
        for stack, template in stacks.items():
            if option == DELIVERED and not stack.endswith("-delivery"):
                continue
            for right in granted(TemplateValues(template, list(stacks.values())), f"text-classifier-{env}"):
                options[right].add(option)
    noted = rights.parse(rights.PAGE.read_text(encoding="utf-8")) if rights.PAGE.exists() else {}
    uses = {right: noted[right].workflows if right in noted else () for right in options}
    made = {
        right: rights.Entry(() if found >= everywhere - {"isolated", DELIVERED} else tuple(sorted(found)), uses[right])
        for right, found in options.items()
    }
    if request.config.getoption(rights.OPTION):
        rights.PAGE.write_text(rights.render(made), encoding="utf-8")
    return made


def test_page_holds_the_rights_of_the_templates(table: rights.Table) -> None:
    """No configuration grants what the page lacks, and the page names nothing that none grants."""
    noted = rights.parse(rights.PAGE.read_text(encoding="utf-8"))
    assert table.keys() - noted.keys() == set(), f"missing; repeat with {rights.OPTION}"
    assert noted.keys() - table.keys() == set(), f"granted nowhere; repeat with {rights.OPTION}"
    assert rights.PAGE.read_text(encoding="utf-8") == rights.render(table), f"not current; repeat with {rights.OPTION}"


def test_every_right_is_used_or_has_a_reason(table: rights.Table) -> None:
    """What no workflow of the local cloud uses says why it stands."""
    assert [right for right, entry in table.items() if not entry.workflows and not rights.reason(right)] == []


def test_every_reason_is_needed(table: rights.Table) -> None:
    """A reason without a right that is unused has outlived it."""
    given = {rights.reason(right) for right, entry in table.items() if not entry.workflows}
    assert set(rights.REASONS.values()) - given == set()


def test_what_contradicts_the_page_is_found() -> None:
    """A refusal, a use that is not noted, a call by no right of the page, and a noted use that did not happen."""
    read = Right("drift", "s3:GetObject", "s3:artifacts/*/baseline.json")
    look = Right("drift", "cloudformation:DescribeStacks", "cloudformation:stack/<prefix>-serving/*")
    page = {read: Entry(workflows=("drift",)), look: Entry()}
    done = Decision("drift", "s3:GetObject", "s3:artifacts/training/job/baseline.json", allowed=True)
    assert rights.compare(page, {"drift": [done]}) == []
    assert rights.compare(page, {"train": []}) == []
    for seen, named in (
        ([done, done._replace(who="", allowed=False)], "refused"),
        (
            [done, Decision(*look[:2], "cloudformation:stack/<prefix>-serving/1", allowed=True)],
            "not noted so",
        ),
        ([done, done._replace(resource="s3:data/source/a.csv")], "not in the page"),
        ([], "not used by drift"),
    ):
        (found,) = rights.compare(page, {"drift": seen})
        assert named in found
    assert rights.noted(page, {"drift": [], "train": [done]})[read].workflows == ("train",)


def test_page_is_read_as_it_is_written() -> None:
    """Rights, options and workflows survive."""
    page = {
        Right("drift", "s3:GetObject", "s3:artifacts/*"): Entry(("keyed", "slim"), ("drift", "train")),
        Right("drift", "s3:PutObject", "s3:artifacts/*"): Entry(("keyed", "slim"), ("drift", "train")),
        Right("topic policy: budgets.amazonaws.com", "sns:Publish", "sns:<prefix>-notifications"): Entry(),
    }
    assert rights.parse(rights.render(page)) == page
