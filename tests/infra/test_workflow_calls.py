"""Every task of all workflows, as synthesised: AWS would take its parameters, and its role may make the call."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bulk_samples
import pytest
import release_samples
import release_state_names as names
import training_state_names as steps
import workflow_samples
from api_calls import Call, needs, parameter_problems, sdk_name
from conftest import ENVIRONMENTS, STACKS, WORKFLOW_STACKS
from policies import Need, Statement, allows, missing, statements_of
from states_interpreter import TaskFailed, execute
from template_values import TemplateValues

if TYPE_CHECKING:
    from conftest import Assemblies

WORKFLOWS = [(env, workflow) for env in ENVIRONMENTS for workflow in WORKFLOW_STACKS]


@dataclass(frozen=True)
class Workflow:
    """A state machine as it is deployed: its definition, what its tasks call, and what its role is allowed."""

    definition: dict[str, Any]
    calls: list[Call]
    statements: list[Statement]

    @property
    def needs(self) -> list[Need]:
        """The rights of all calls."""
        return [need for call in self.calls for need in needs(call)]


def task_states(machine: dict[str, Any]) -> Iterator[str]:
    """Names of all tasks, those inside of maps included."""
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            yield name
        if "ItemProcessor" in state:
            yield from task_states(state["ItemProcessor"])


def of_environment(value: Any, env: str) -> Any:
    """Sample data, which is dev's, as another environment has it."""
    return json.loads(json.dumps(value).replace("text-classifier-dev", f"text-classifier-{env}"))


def runs(workflow: str) -> list[tuple[Any, dict[str, Any]]]:
    """Inputs and tasks of executions that together reach every task."""
    if workflow == "training":
        well = workflow_samples.all_is_well()
        both = workflow_samples.answers(workflow_samples.plan("challenger", "champion"))
        serving = workflow_samples.serves(workflow_samples.PACKAGE)
        broken = release_samples.scripted(TaskFailed("States.TaskFailed", "broken"))
        return [
            ({}, {**well, steps.PLAN: both, steps.LOOK: serving}),
            ({}, {**well, "Transform": broken}),
            ({}, {**well, steps.CHECK: workflow_samples.answers(workflow_samples.TUNE_REQUEST)}),
        ]
    if workflow == "bulk":
        broken = bulk_samples.failed({"TransformJobStatus": "Failed"})
        return [(bulk_samples.INPUT, bulk_samples.tasks(**more)) for more in ({}, {"Score": broken})]
    wrong = release_samples.scripted(TaskFailed("WrongAnswersError", release_samples.WRONG))
    rolled_back = release_samples.scripted(release_samples.stack("UPDATE_ROLLBACK_COMPLETE", release_samples.OLD))
    refused = release_samples.scripted(release_samples.refused("denied"))
    released = release_samples.scripted(release_samples.package(release="released"))
    serving = release_samples.scripted(release_samples.stack("UPDATE_COMPLETE", release_samples.NEW))
    failed = release_samples.scripted({"EndpointStatus": "Failed"})
    return [
        (release_samples.BY_EVENT, release_samples.tasks()),
        (release_samples.BY_EVENT, {**release_samples.tasks(), names.ENDPOINT: failed}),
        (release_samples.BY_PERSON, {**release_samples.tasks(), names.ASK: wrong}),
        (release_samples.BY_EVENT, {**release_samples.tasks(), names.LOOK: rolled_back}),
        (release_samples.BY_EVENT, {**release_samples.tasks(), names.UPDATE: refused}),
        (release_samples.BY_EVENT, {**release_samples.tasks(), names.PACKAGE: released, names.CHAMPION: serving}),
    ]


def workflow_of(assemblies: Assemblies, env: str, workflow: str) -> Workflow:
    """The deployed workflow, walked with the sample data."""
    templates = {stack: assemblies.template(env, stack) for stack in STACKS}
    values = TemplateValues(templates[WORKFLOW_STACKS[workflow]], list(templates.values()))
    machine = assemblies.machine(env, workflow)
    definition = values.definition(machine)
    name = machine["Properties"]["StateMachineName"]
    arn = f"arn:aws:states:us-east-1:111122223333:stateMachine:{name}"
    # Far in the future, so that no wait of a walk is too long.
    context = {
        "Execution": {"Id": release_samples.EXECUTION, "Name": "run-1", "StartTime": "2099-01-01T00:00:00.000Z"},
        "StateMachine": {"Id": arn, "Name": name},
    }
    calls = []
    for given, tasks in runs(workflow):
        local = {
            state: (lambda arguments, task=task: of_environment(task(arguments), env)) for state, task in tasks.items()
        }
        execution = execute(definition, of_environment(given, env), local, of_environment(context, env))
        calls += [Call.of(*call) for call in execution.calls]
    return Workflow(definition, calls, statements_of(values, machine["Properties"]["RoleArn"]))


@pytest.fixture(scope="module")
def workflows(assemblies: Assemblies) -> dict[tuple[str, str], Workflow]:
    """The workflows of all environments."""
    return {key: workflow_of(assemblies, *key) for key in WORKFLOWS}


@pytest.mark.parametrize("key", WORKFLOWS, ids="-".join)
def test_every_task_is_looked_at(workflows: dict[tuple[str, str], Workflow], key: tuple[str, str]) -> None:
    """The walks reach each task of the deployed definition, so that none escapes the tests below."""
    assert {call.state for call in workflows[key].calls} == set(task_states(workflows[key].definition))


@pytest.mark.parametrize("key", WORKFLOWS, ids="-".join)
def test_parameters_are_valid(workflows: dict[tuple[str, str], Workflow], key: tuple[str, str]) -> None:
    """Each call has the parameters that the service's model asks for, with names, values and lengths it takes."""
    found = {call.state: problems for call in workflows[key].calls if (problems := parameter_problems(call))}
    assert found == {}


@pytest.mark.parametrize("key", WORKFLOWS, ids="-".join)
def test_calls_are_permitted(workflows: dict[tuple[str, str], Workflow], key: tuple[str, str]) -> None:
    """The role may make each call on that very resource, hand over the roles in it, tag, and wait for the job's end."""
    assert missing(workflows[key].statements, workflows[key].needs) == []


@pytest.mark.parametrize("key", WORKFLOWS, ids="-".join)
def test_misspelt_parameters_are_noticed(workflows: dict[tuple[str, str], Workflow], key: tuple[str, str]) -> None:
    """Misspelling any one parameter of any call is found; so is another letter case."""
    for call in workflows[key].calls:
        for name in call.arguments:
            for wrong in (f"{name}s", name.lower()):
                given = {wrong if key == name else key: value for key, value in call.arguments.items()}
                assert parameter_problems(dataclasses.replace(call, arguments=given)), (call.state, name)


def without(value: dict[str, Any], path: tuple[str, ...], new: Any) -> dict[str, Any]:
    """A copy with another value at a path."""
    changed = copy.deepcopy(value)
    at = changed
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = new
    return changed


@pytest.mark.parametrize(
    ("workflow", "action", "path", "wrong"),
    [
        ("training", "createTrainingJob", ("ResourceConfig", "InstanceType"), "ml.unknown.large"),
        ("training", "createTrainingJob", ("ResourceConfig", "InstanceCount"), -1),
        ("training", "createTrainingJob", ("TrainingJobName",), "with space"),
        ("training", "createTrainingJob", ("HyperParameters",), {"epochs": 3}),
        ("training", "createTransformJob", ("BatchStrategy",), "Single"),
        ("training", "createTransformJob", ("TransformInput",), {"ContentType": "application/json"}),
        ("training", "createModelPackage", ("CustomerMetadataProperties",), {"a": "x" * 257}),
        ("training", "createModelPackage", ("CustomerMetadataProperties",), {"a": "<b>"}),
        ("training", "updateModelPackage", ("ApprovalDescription",), "x" * 1025),
        ("release", "updateModelPackage", ("ApprovalDescription",), "two\nlines"),
        ("release", "updateModelPackage", ("ModelApprovalStatus",), "Failed"),
        ("release", "updateStack", ("UsePreviousTemplate",), "true"),
        ("release", "updateStack", ("RoleARN",), "short"),
        ("release", "listExecutions", ("MaxResults",), 1001),
        ("release", "listExecutions", ("StatusFilter",), "ACTIVE"),
    ],
)
def test_wrong_values_are_noticed(
    workflows: dict[tuple[str, str], Workflow], workflow: str, action: str, path: tuple[str, ...], wrong: Any
) -> None:
    """A value of a wrong type, out of its range, its pattern or its choices is found."""
    call = next(call for call in workflows["dev", workflow].calls if call.action == action)
    changed = dataclasses.replace(call, arguments=without(call.arguments, path, wrong))
    assert parameter_problems(call) == [] and parameter_problems(changed) != []


@pytest.mark.parametrize("key", WORKFLOWS, ids="-".join)
def test_dropped_statements_are_noticed(workflows: dict[tuple[str, str], Workflow], key: tuple[str, str]) -> None:
    """No statement can be dropped, save those for the machine's own log and trace: what is allowed is needed."""
    workflow = workflows[key]
    ours = [statement for statement in workflow.statements if statement["Resource"] != "*"]
    assert len(ours) >= 5
    for statement in ours:
        others = [other for other in workflow.statements if other is not statement]
        assert missing(others, workflow.needs), statement


@pytest.mark.parametrize("key", WORKFLOWS, ids="-".join)
def test_other_resources_and_services_are_noticed(
    workflows: dict[tuple[str, str], Workflow], key: tuple[str, str]
) -> None:
    """A role handed to another service, or any call on another environment's resource, is not permitted."""
    workflow = workflows[key]
    for need in workflow.needs:
        if need.context:
            assert not allows(workflow.statements, dataclasses.replace(need, context={}))
            elsewhere = dict.fromkeys(need.context, "ec2.amazonaws.com")
            assert not allows(workflow.statements, dataclasses.replace(need, context=elsewhere))
        other = need.resource.replace(f"text-classifier-{key[0]}", "other")
        # The artifacts' bucket is the environment's own; below it any job's name will do.
        if other != need.resource and need.action != "s3:GetObject":
            assert not allows(workflow.statements, dataclasses.replace(need, resource=other)), need


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_workflow_may_update_one_stack_under_one_role(workflows: dict[tuple[str, str], Workflow], env: str) -> None:
    """UpdateStack is refused for another stack, without a role, and under another role than the release role."""
    workflow = workflows[env, "release"]
    (need,) = {
        need.context["cloudformation:RoleArn"]: need
        for need in workflow.needs
        if need.action == "cloudformation:UpdateStack"
    }.values()
    assert need.context["cloudformation:RoleArn"].endswith(f"role/text-classifier-{env}-release")
    assert allows(workflow.statements, need)
    for resource in (need.resource.replace("-serving/", "-api/"), need.resource.replace("-serving/", "-serving-2/")):
        assert not allows(workflow.statements, dataclasses.replace(need, resource=resource))
    for context in ({}, {"cloudformation:RoleArn": "arn:aws:iam::111122223333:role/admin"}):
        assert not allows(workflow.statements, dataclasses.replace(need, context=context))


@pytest.mark.parametrize(
    ("member", "spelt"),
    [
        ("RoleARN", "RoleARN"),
        ("DBInstanceArn", "DbInstanceArn"),
        ("ModelName", "ModelName"),
        ("stateMachineArn", "StateMachineArn"),
        ("MaxPayloadInMB", "MaxPayloadInMB"),
        ("SupportedResponseMIMETypes", "SupportedResponseMIMETypes"),
    ],
)
def test_sdk_spelling(member: str, spelt: str) -> None:
    """AWS SDK integrations respell an acronym at the beginning of a name and nothing else."""
    assert sdk_name(member) == spelt
