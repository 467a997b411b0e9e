"""The bulk workflow in Amazon States Language (query language JSONata), built as plain data.

Input of an execution: `schema.json` beside this file. Output: the estimate, the counts and where the results are.

Variables: `request` (checked input with defaults, package and execution), `token` (in the names of jobs and model),
`key` and `run` (the run's folder, as key and as address), `plan` (what the first job found), `failure` of the scoring.
"""

from dataclasses import dataclass
from typing import Any

from stacks.bulk.execution_input import DEFAULTS, problems
from stacks.common.s3_folder import S3Folder
from stacks.common.states_language import (
    CAUSE,
    FAILED,
    State,
    States,
    as_jsonata,
    catch,
    catch_failure,
    choose,
    retry_sagemaker,
    task,
    when,
)
from stacks.serving.champion import STACK_CHAMPION
from stacks.training.workflow.parts import WorkflowParts

CHECK, REFUSED, LOOK, BEGIN, KEEP = "Check input", "Refused", "Look at champion", "Begin", "Keep request"
PREPARE, ROUTE, ESTIMATED = "Prepare", "Is there anything to score?", "Estimated"
CREATE_MODEL, SCORE, STOP, DELETE_MODEL = "Create model", "Score", "Stop scoring", "Delete model"
SCORED, NOT_SCORED, JOIN, DONE = "Is it scored?", "Not scored", "Join", "Done"

_BASE = "/opt/ml/processing"
# The code is an archive for training jobs; a processing job unpacks it, as SageMaker's SDK has it done.
_START = 'cd "$0" && mkdir src && tar -xzf input/code/*.tar.gz -C src && cd src && exec python -m bulk "$0" "$1"'
_VOLUME_GB = 100
_FILES = {"S3DataType": "S3Prefix", "S3InputMode": "File"}
_SCORE_SECONDS = 24 * 3600
"""A container that hangs would be paid for longer; a run that takes longer is resumed."""
_LONGEST_SECONDS = 3 * _SCORE_SECONDS
_SAID = "{% $parse($states.result.ExitMessage) %}"
_FAILURE = {"failure": CAUSE}
_RESUMED = '{% $failure & " Next: start the same input again, which resumes the run." %}'


@dataclass(frozen=True, kw_only=True)
class BulkWorkflow:
    """The definition and its surroundings. `role_arn`: of jobs and model. `runs`: holds a folder a run."""

    parts: WorkflowParts
    role_arn: str
    runs: S3Folder

    def definition(self) -> dict[str, Any]:
        """Return the whole state machine."""
        return {
            "Comment": "Scores files with the released model: prepares them, scores what has no answer, joins both.",
            "QueryLanguage": "JSONata",
            "StartAt": CHECK,
            "TimeoutSeconds": _LONGEST_SECONDS,
            "States": {**self._request_states(), **self._scoring_states(), **self._ends()},
        }

    def _request_states(self) -> States:
        defaults = as_jsonata({**DEFAULTS, "instance_type": self.parts.evidence_instance_type})
        begun = {"package": "{% $champion %}", "execution": "{% $states.context.Execution.Name %}"}
        folder = '$exists($request.output) ? $request.output : $replace($request.input, /[^A-Za-z0-9]+/, "-")'
        key = f'"{self.runs.prefix}/" & ({folder}) & "/v" & $split($champion, "/")[-1]'
        kept = {"Bucket": self.runs.bucket_name, "Key": '{% $key & "/state/request.json" %}', "Body": "{% $request %}"}
        return {
            CHECK: choose(
                when(f'({problems()}) = ""', LOOK, request=f"{{% $merge([{defaults}, $states.input]) %}}"),
                otherwise=REFUSED,
                problem=f'{{% {problems()} & "Next: start again; docs/bulk.md has examples." %}}',
            ),
            LOOK: self._call(
                "cloudformation:describeStacks",
                {"StackName": self.parts.serving_stack},
                Assign={"champion": STACK_CHAMPION},
                Next=BEGIN,
            ),
            BEGIN: choose(
                when('$champion = ""', REFUSED, problem="No model is released. Next: train and release one."),
                otherwise=KEEP,
                request=f"{{% $merge([$request, {as_jsonata(begun)}]) %}}",
                token='{% $substring($hash($states.context.Execution.Id, "SHA-256"), 0, 12) %}',
                key=f"{{% {key} %}}",
                run=f'{{% "s3://{self.runs.bucket_name}/" & {key} %}}',
            ),
            KEEP: self._call("s3:putObject", kept, Next=PREPARE),
        }

    def _scoring_states(self) -> States:
        name = f'{{% "{self.parts.name}-bulk-" & $token %}}'
        model = {
            "ModelName": name,
            "ExecutionRoleArn": self.role_arn,
            "EnableNetworkIsolation": True,
            "PrimaryContainer": {"ModelPackageName": "{% $champion %}"},
            "Tags": self.parts.tags,
        }
        todo = 'todo/" & $token & "'
        machine = {"InstanceType": "{% $request.instance_type %}", "InstanceCount": "{% $request.instances %}"}
        # A record is a request of up to a hundred texts.
        transform = self.parts.transform_request(
            name, model=name, source=_of_run(f"{todo}/"), answers=_of_run("state/answers"), machine=machine
        )
        return {
            PREPARE: {
                **self._step("prepare", {"plan": _of_run("state"), "todo": _of_run(todo)}),
                "Assign": {"plan": _SAID, "failure": ""},
                "Output": _SAID,
                "Next": ROUTE,
            },
            ROUTE: choose(
                when("$request.dry_run", ESTIMATED), when("$plan.to_score = 0", JOIN), otherwise=CREATE_MODEL
            ),
            CREATE_MODEL: self._call(
                "sagemaker:createModel", model, Catch=catch(DELETE_MODEL, assign=_FAILURE), Next=SCORE
            ),
            SCORE: {
                **task(self.parts.partition, "sagemaker:createTransformJob.sync", transform),
                "TimeoutSeconds": _SCORE_SECONDS,
                "Retry": retry_sagemaker(),
                "Catch": catch(STOP, assign=_FAILURE),
                "Next": DELETE_MODEL,
            },
            # At a time limit Step Functions stops waiting; the job goes on until it is stopped.
            STOP: {
                **self.parts.sagemaker_task("stopTransformJob", {"TransformJobName": name}),
                "Catch": catch(DELETE_MODEL),
                "Next": DELETE_MODEL,
            },
            # A model costs nothing; whether it could be removed does not affect the answers.
            DELETE_MODEL: {
                **self.parts.sagemaker_task("deleteModel", {"ModelName": name}),
                "Catch": catch(SCORED),
                "Next": SCORED,
            },
            SCORED: choose(when('$failure = ""', JOIN), otherwise=NOT_SCORED),
            JOIN: {
                **self._step("join", {"result": _of_run("result")}),
                "Output": f'{{% $merge([$plan, {as_jsonata(_SAID)}, {{"result": $run & "/result/"}}]) %}}',
                "Next": DONE,
            },
        }

    def _ends(self) -> States:
        return {
            ESTIMATED: {"Type": "Succeed", "Output": "{% $plan %}"},
            DONE: {"Type": "Succeed"},
            REFUSED: {"Type": "Fail", "Error": "InvalidExecutionInput", "Cause": "{% $problem %}"},
            NOT_SCORED: {"Type": "Fail", "Error": "NotScored", "Cause": _RESUMED},
            FAILED: {"Type": "Fail", "Error": "{% $states.input.Error %}", "Cause": "{% $states.input.Cause %}"},
        }

    def _call(self, action: str, arguments: dict[str, Any], **more: Any) -> State:
        """Return a task that calls AWS; unless `more` says otherwise, the workflow fails with its error."""
        called = task(self.parts.partition, f"aws-sdk:{action}", arguments)
        return {**called, "Retry": retry_sagemaker(), "Catch": catch_failure(), **more}

    def _step(self, step: str, outputs: dict[str, str]) -> State:
        """Return the processing job that runs a step of `training_job/bulk`; `outputs`: folder → address."""
        inputs = {"code": self.parts.job.code_uri, "data": "{% $request.input %}", "state": _of_run("state/")}
        machine = {"InstanceCount": 1, "InstanceType": "{% $request.instance_type %}", "VolumeSizeInGB": _VOLUME_GB}
        request = {
            "ProcessingJobName": f'{{% "{self.parts.name}-bulk-{step}-" & $token %}}',
            "RoleArn": self.role_arn,
            "AppSpecification": {
                "ImageUri": self.parts.job.image,
                "ContainerEntrypoint": ["sh", "-c", _START],
                "ContainerArguments": [_BASE, step],
            },
            "ProcessingInputs": [
                {"InputName": name, "S3Input": {"LocalPath": f"{_BASE}/input/{name}", "S3Uri": uri, **_FILES}}
                for name, uri in inputs.items()
            ],
            "ProcessingOutputConfig": {
                "Outputs": [{"OutputName": name, "S3Output": _output(name, uri)} for name, uri in outputs.items()],
                **self.parts.job.output_key,
            },
            "ProcessingResources": {"ClusterConfig": machine},
            # It reads customers' texts, and needs nothing but files.
            "NetworkConfig": {"EnableNetworkIsolation": True},
            "Tags": self.parts.tags,
        }
        job = task(self.parts.partition, "sagemaker:createProcessingJob.sync", request)
        return {**job, "Retry": retry_sagemaker(), "Catch": catch_failure()}


def _of_run(place: str) -> str:
    return f'{{% $run & "/{place}" %}}'


def _output(name: str, uri: str) -> dict[str, str]:
    return {"LocalPath": f"{_BASE}/output/{name}", "S3Uri": uri, "S3UploadMode": "EndOfJob"}
