"""The table of rights, docs/rights.md: who may do what, and which workflow does it, or why it stands all the same.

The templates give its rows (tests/infra/test_rights_table.py), the local cloud's record of decisions gives its uses
(tests/e2e/test_rights.py), and `REASONS` gives what is said of a right that no local workflow uses. Each of the two
tests rewrites its part of the page with the option `--write-rights`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rights.md"
OPTION = "--write-rights"
UNEXPLAINED = "neither used nor explained"
_USED = "used: "
_ASSETS = re.compile(r"(?<=cdk-)hnb659fds-(assets|[a-z-]+-role)-\d+-[a-z]+-[a-z]+-\d")
_ROW = re.compile(r"^\| (`.*?`) \| `(.*?)` \| (.*?) ?\| (.*) \|$", re.MULTILINE)
_HASH = re.compile(r"\b[0-9a-f]{64}\b")


class Right(NamedTuple):
    """One action on one pattern of resources, as the page spells them: without account, region and environment."""

    who: str
    action: str
    resource: str


@dataclass(frozen=True)
class Entry:
    """What the page says of a right.

    Attributes:
        options: names of the configurations that have it, of tools/configurations.py; empty: all have it.
        workflows: those that used it on the local cloud.
    """

    options: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()


Table = dict[Right, Entry]


class Decision(NamedTuple):
    """One line of the local cloud's record; `who` is empty for a principal that is none of the stacks' roles."""

    who: str
    action: str
    resource: str
    allowed: bool


def short(arn: str, prefix: str) -> str:
    """Return an ARN as the page spells it; `prefix` begins the environment's names."""
    text = arn
    if arn.startswith("arn:"):
        _, _, service, _, _, rest = arn.split(":", 5)
        # CloudFormation names a bucket by its stack and logical id.
        text = re.sub(rf"^s3:{prefix}-storage-([a-z]+)bucket[^/]*", r"s3:\1", f"{service}:{rest}")
    text = re.sub(
        rf"{prefix}-instances|(?<=ndpoint/){prefix}(?=[/:]|$)|(?<=ndpoints/){prefix}(?=:|$)", "<endpoint>", text
    )
    return _HASH.sub("<hash>", _ASSETS.sub(r"\1", text.replace(prefix, "<prefix>")))


def matches(right: Right, decision: Decision) -> bool:
    """Whether the right is one that this decision may have rested on."""
    return (right.who, right.action) == (decision.who, decision.action) and _like(right.resource, decision.resource)


def _like(pattern: str, value: str) -> bool:
    parts = ({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch("".join(parts), value) is not None


def decisions(record: Path, prefix: str) -> list[Decision]:
    """Read the local cloud's record."""
    read = []
    for line in record.read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        role = re.search(rf":assumed-role/{prefix}-([^/]+)/", found["principal"])
        who, resource = role[1] if role else "", short(found["resource"], prefix)
        read.append(Decision(who, found["action"], resource, found["allowed"]))
    return read


def compare(table: Table, seen: Mapping[str, Iterable[Decision]]) -> list[str]:
    """Return what of the decisions, by workflow, contradicts the page."""
    used = uses(table, seen)
    rows = [right for found in used.values() for right in found]
    own = {decision for found in seen.values() for decision in found if decision.who}
    return [
        *(f"refused: {decision}" for found in seen.values() for decision in found if not decision.allowed),
        *(f"not in the page: {one}" for one in own if one.allowed and not any(matches(right, one) for right in rows)),
        *(f"used, and not noted so: {right}" for right in rows if not table[right].workflows),
        *(
            f"not used by {' or '.join(entry.workflows)}, as the page says: {right}"
            for right, entry in table.items()
            if (said := set(entry.workflows) & used.keys()) and not any(right in used[one] for one in said)
        ),
    ]


def uses(table: Table, seen: Mapping[str, Iterable[Decision]]) -> dict[str, set[Right]]:
    """Return the rights that each workflow used."""
    return {
        workflow: {right for decision in set(found) for right in table if matches(right, decision)}
        for workflow, found in seen.items()
    }


def noted(table: Table, seen: Mapping[str, Iterable[Decision]]) -> Table:
    """Return the page with the uses that were seen; a workflow that ran and did not use a right is noted no more."""
    used = uses(table, seen)
    now = {
        right: [one for one in entry.workflows if one not in used] + [one for one in used if right in used[one]]
        for right, entry in table.items()
    }
    return {right: Entry(entry.options, tuple(sorted(now[right]))) for right, entry in table.items()}


def reason(right: Right) -> str:
    """Why a right stands that no workflow of the local cloud uses; empty where nobody says so."""
    return next((text for patterns, text in REASONS.items() if _fits(patterns, right)), "")


def _fits(patterns: str, right: Right) -> bool:
    return all(map(fnmatchcase, right, patterns.split(" ")))


def render(table: Table) -> str:
    """Return the page."""
    used = sum(bool(entry.workflows) for entry in table.values())
    text = _HEAD.format(rights=len(table), used=used, explained=len(table) - used)
    for who in sorted({right.who for right in table}):
        rows: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for right, entry in sorted(table.items()):
            if right.who == who:
                why = _USED + ", ".join(entry.workflows) if entry.workflows else reason(right) or UNEXPLAINED
                rows[right.resource, ", ".join(entry.options), why].append(right.action)
        text += f"\n## {who}\n\n| action | resource | only with | why |\n|---|---|---|---|\n"
        for (resource, options, why), actions in rows.items():
            shown = ", ".join(f"`{action}`" for action in actions)
            text += f"| {shown} | `{resource}` | {options} | {why} |\n"
    return text


def parse(text: str) -> Table:
    """Read the page."""
    table: Table = {}
    for section in text.split("\n## ")[1:]:
        who, _, rows = section.partition("\n")
        for actions, resource, options, why in _ROW.findall(rows):
            entry = Entry(
                tuple(filter(None, options.split(", "))),
                tuple(why.removeprefix(_USED).split(", ")) if why.startswith(_USED) else (),
            )
            table |= {Right(who, action, resource): entry for action in re.findall(r"`(.*?)`", actions)}
    return table


_HEAD = """# Rights

Written by the tests from the templates of all configurations and from what the local cloud decided; tests keep it current.
A test of the templates fails when a right is missing here, or one stands here that no template grants. A test on the local
cloud fails when a workflow is refused something, uses a right that is not noted as used, or no longer uses one that is.

There are {rights} rights: {used} are used by a workflow on the local cloud, and {explained} stand for the reason given.
`<prefix>` is project and environment, such as `text-classifier-dev`. A right that only some configurations have names them
as `tools/configurations.py` does. What stands on `*` has no resource-level permissions at AWS; of these, only `drift` reads
another environment's: the numbers of all metrics (`cloudwatch:GetMetricData`).
"""  # noqa: E501

_STACK = "CloudFormation calls it; the local cloud asks a stack's role about other SageMaker calls alone"
_ROLES = "*How to use SageMaker AI execution roles* (SageMaker AI Developer Guide) lists it"
_STEP_FUNCTIONS = "*Create and manage SageMaker AI jobs with Step Functions* (Step Functions Developer Guide) lists it"
_INSPECTS = "SageMaker inspects a package's image and archive with its creator's rights; the local cloud does not"
_SPOT = "Checkpoints of spot jobs; tests/e2e/test_interruptions.py"
_DELIVERY = "Takes place on GitHub; tests/integration/test_delivery.py and tests/e2e/test_delivery.py make these calls"
REASONS = {
    "deployment * *": _DELIVERY,
    "diff * *": _DELIVERY,
    "training s3:PutObject *profiler-output/*": "SageMaker's profiler writes there, on AWS alone",
    "bucket?policy:?CDK* * *": "CDK's function empties a removable bucket; the local cloud does it without asking",
    "bucket?policy:?logging* * *": "S3 delivers access logs; the local cloud has none",
    "topic?policy:* * *": "The local cloud notifies nobody",
    "function?policy:* * *": "The local cloud lets API Gateway and EventBridge call functions without asking",
    "gateway* * *": "The way of isolated jobs to S3; their role needs the right as well. The local cloud has no VPC",
    "policy?of?the?own?key:* * *": "The local cloud has no encryption, so nothing uses a key",
    "* logs:*Log* logs:log-group:/aws/lambda/*": "Lambda writes a function's log; locally the cloud does",
    "* logs:* logs:log-group:/aws/sagemaker/*": f"SageMaker logs under this role; locally the cloud does. {_ROLES}",
    "*-workflow logs:* [*]": "Step Functions logs by a delivery; CDK grants what *Logging to CloudWatch Logs* lists",
    "* xray:* [*]": "Traces go to X-Ray, which is not local; CDK grants it with tracing",
    "image* * *": "No image is built locally; CodeBuild's and ECR's user guides list it",
    "training-workflow ecr:* *": f"{_INSPECTS}. *Deploy a Model Version from a Different Account* grants it",
    "training-workflow s3:GetObject *": _INSPECTS,
    "* ecr:* *": f"No image is pulled locally. {_ROLES}",
    "* cloudwatch:PutMetricData [*]": f"SageMaker measures under this role; locally the cloud does. {_ROLES}",
    "training kms:Decrypt kms:key/[*]": "The key of the Hub token's secret is not known; a condition names the secret",
    "* kms:* *": "The local cloud has no encryption, so nothing uses the key",
    "* secretsmanager:* *": "The token of the Hub, which the local cloud does not reach",
    "training sagemaker-mlflow:* *": "A run of MLflow makes these calls; the local cloud has no such server",
    "training ec2:* *": f"The local cloud has no VPC. {_ROLES}",
    "training s3:GetObject s3:data/base-model/*": "The base model of isolated jobs; others load it elsewhere",
    "training s3:* s3:artifacts*": _SPOT,
    "* s3:ListBucket s3:artifacts": "Who may not list a bucket learns 'access denied' of an object that does not "
    "exist; the local cloud says that it does not. A request for an object has no prefix to hold the right to",
    "* s3:GetObject s3:artifacts/training/[*]/output/model.tar.gz": "Packages that earlier versions registered name it",
    "* s3:GetObject s3:artifacts/evidence/*.out": "Packages that earlier versions registered record no version of it",
    "training-workflow sagemaker:CreateModelPackage *-group/*": "AWS asks about the group as well",
    "*-workflow sagemaker:Stop* *": f"Step Functions stops the job of a stopped execution. {_STEP_FUNCTIONS}",
    "*-workflow sagemaker:ListTags *": _STEP_FUNCTIONS,
    "*-workflow cloudformation:DescribeStackEvents *": "Only a release that fails asks why; tests/e2e/test_release.py",
    "model cloudwatch:DescribeAlarms *": "*Auto-Rollback Configuration and Monitoring* (SageMaker AI Developer Guide) "
    "asks for it; the local cloud ignores these alarms",
    "release cloudwatch:DescribeAlarms *": f"{_STACK}. Alarms are looked up before they are named",
    "release application-autoscaling:* *": f"{_STACK}. AWS generates a target's id",
    "release sagemaker:DeleteEndpoint *": "A release makes a lost or Failed endpoint anew; tests/e2e/test_release.py",
    "release sagemaker:DescribeModelPackage *": "*Deploy a Model Version from a Different Account* grants it",
    "release * *": _STACK,
}
"""Patterns of who, action and resource → why such a right stands though no local workflow uses it; the first counts."""
