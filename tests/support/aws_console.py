"""What a person does in the AWS console, as API calls: start executions, read verdicts, approve, see what is left."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from history import Stream, asking
from local_project import BUNDLED_DATA

PREFIX = "text-classifier-local"
SENTENCES = pd.read_json(BUNDLED_DATA / "test.json", lines=True)["sentence"].tolist()[:20]
FORGER = Path(__file__).with_name("forger.py")
ENDED = ("SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT")


def number(arn: str) -> str:
    """Version number of a package."""
    return arn.rsplit("/", 1)[-1]


class Console:
    """One local project seen through its AWS APIs.

    Args:
        project: a running `LocalProject`.
    """

    def __init__(self, project: Any) -> None:
        self.project = project
        self.sagemaker = project.client("sagemaker")
        self.workflows = project.client("stepfunctions")
        self.machines = {
            "training": project.outputs("training")["StateMachineArn"],
            "release": project.outputs("release")["ReleaseStateMachineArn"],
            "bulk": project.outputs("training")["BulkStateMachineArn"],
        }

    def start(self, document: Any, machine: str = "training") -> str:
        """*Start execution* with this input; the execution's ARN."""
        text = document if isinstance(document, str) else json.dumps(document)
        return self.workflows.start_execution(stateMachineArn=self.machines[machine], input=text)["executionArn"]

    def wait(self, execution: str, seconds: float = 900) -> dict[str, Any]:
        """The description of an execution once it has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.workflows.describe_execution(executionArn=execution)
            if found["status"] in ENDED:
                return found
            time.sleep(0.5)
        raise AssertionError(f"{execution} did not end within {seconds} s; states: {self.states(execution)}")

    def run(self, document: Any) -> dict[str, Any]:
        """A whole training run that has to succeed; its output."""
        ended = self.wait(self.start(document))
        assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
        return json.loads(ended["output"])

    def states(self, execution: str) -> list[str]:
        """Names of the states that an execution entered, in order."""
        pages = self.workflows.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [
            event["stateEnteredEventDetails"]["name"]
            for page in pages
            for event in page["events"]
            if "stateEnteredEventDetails" in event
        ]

    def reach(self, execution: str, state: str, seconds: float = 60) -> None:
        """Wait until an execution has entered a state."""
        deadline = time.monotonic() + seconds
        while state not in (states := self.states(execution)):
            assert time.monotonic() < deadline, f"{state} was not reached: {states}"
            time.sleep(0.1)

    def executions(self, machine: str) -> list[dict[str, Any]]:
        """All executions of a machine, the newest first."""
        pages = self.workflows.get_paginator("list_executions").paginate(stateMachineArn=self.machines[machine])
        return sorted(
            (found for page in pages for found in page["executions"]),
            key=lambda found: found["startDate"],
            reverse=True,
        )

    def released_by_event(self, known: list[dict[str, Any]], seconds: float = 60) -> str:
        """ARN of the release that started since `known` was listed; waits for it."""
        before = {found["executionArn"] for found in known}
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            new = [found["executionArn"] for found in self.executions("release") if found["executionArn"] not in before]
            if new:
                return new[0]
            time.sleep(0.2)
        raise AssertionError(f"no release started within {seconds} s")

    def package(self, arn: str) -> dict[str, Any]:
        """A model package in full."""
        return self.sagemaker.describe_model_package(ModelPackageName=arn)

    def archive(self, arn: str) -> str:
        """Address of a package's archive."""
        return str(self.package(arn)["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])

    def approve(self, arn: str) -> None:
        """The call that the console makes on *Approve*."""
        self.sagemaker.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="by hand"
        )

    def release_by_hand(self, arn: str) -> dict[str, Any]:
        """Approve a package and wait for the release that follows; its description."""
        known = self.executions("release")
        self.approve(arn)
        return self.wait(self.released_by_event(known))

    @property
    def champion(self) -> str:
        """The serving stack's parameter."""
        stack = self.project.client("cloudformation").describe_stacks(StackName=f"{PREFIX}-serving")["Stacks"][0]
        return next(p["ParameterValue"] for p in stack["Parameters"] if p["ParameterKey"] == "ModelPackageArn")

    def older(self) -> str:
        """ARN of package 1, which is approved and does not serve: where it does, a copy of it is released first."""
        first = f"{self.champion.rsplit('/', 1)[0]}/1"
        if self.champion == first:
            known = self.executions("release")
            output = self.run({"training_job": self.forge(f"copy-of-the-first-{int(time.time())}", "none")})
            assert output["verdict"]["status"] == "Approved", output["verdict"]
            assert self.wait(self.released_by_event(known))["status"] == "SUCCEEDED"
            assert self.champion == output["model_package_arn"]
        return first

    def answers(self, texts: list[str]) -> list[Any]:
        """The API's predictions, asked one at a time, as they come."""
        found = [self.project.post({"inputs": text}) for text in texts]
        assert [answer.status_code for answer in found] == [200] * len(texts), [answer.text for answer in found]
        return [answer.json()["predictions"][0] for answer in found]

    @property
    def version(self) -> str:
        """The model version that the API answers with."""
        return str(self.project.post({"inputs": "How is it?"}).json()["model"]["version"])

    def left_over(self) -> dict[str, list[str]]:
        """What exists in SageMaker besides finished jobs: to be compared before and after."""
        jobs = self.sagemaker.list_training_jobs(StatusEquals="InProgress", MaxResults=100)["TrainingJobSummaries"]
        transforms = self.sagemaker.list_transform_jobs(StatusEquals="InProgress")["TransformJobSummaries"]
        return {
            "running training jobs": sorted(job["TrainingJobName"] for job in jobs),
            "running transform jobs": sorted(job["TransformJobName"] for job in transforms),
            "models": sorted(model["ModelName"] for model in self.sagemaker.list_models(MaxResults=100)["Models"]),
            "endpoint configs": sorted(
                config["EndpointConfigName"]
                for config in self.sagemaker.list_endpoint_configs(MaxResults=100)["EndpointConfigs"]
            ),
            "endpoints": sorted(
                endpoint["EndpointName"] for endpoint in self.sagemaker.list_endpoints(MaxResults=100)["Endpoints"]
            ),
            "packages": sorted(
                package["ModelPackageArn"]
                for package in self.sagemaker.list_model_packages(ModelPackageGroupName=PREFIX, MaxResults=100)[
                    "ModelPackageSummaryList"
                ]
            ),
        }

    def forge(self, job_name: str, breakage: str, over: str = "") -> str:
        """Name of a finished job, made outside the workflow, whose artifact is the champion's with one fault.

        Args:
            job_name: what its name ends in.
            breakage: one of the keys of forger.BREAKAGES.
            over: S3 URI that the job tries to write its archive over, with its own role; empty for none.
        """
        job_name = f"{PREFIX}-{job_name}"
        outputs = self.project.outputs("training")
        data_bucket = self.project.outputs("storage")["DataBucket"]
        artifacts = self.project.outputs("storage")["ArtifactsBucket"]
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as packed:
            packed.add(FORGER, "train.py")
        key = "datasets/forger/sourcedir.tar.gz"
        self.project.client("s3").put_object(Bucket=data_bucket, Key=key, Body=archive.getvalue())
        champion = self.package(self.champion)["CustomerMetadataProperties"]["training_job"]
        job = self.sagemaker.describe_training_job(TrainingJobName=champion)
        model = urlsplit(job["ModelArtifacts"]["S3ModelArtifacts"])
        given = "datasets/forger/champion"  # a job may read no other job's output
        for archive in ("model.tar.gz", "output.tar.gz"):
            source = {"Bucket": model.netloc, "Key": f"{model.path.lstrip('/').rpartition('/')[0]}/{archive}"}
            self.project.client("s3").copy_object(Bucket=data_bucket, Key=f"{given}/{archive}", CopySource=source)
        self.sagemaker.create_training_job(
            TrainingJobName=job_name,
            RoleArn=outputs["TrainingRoleArn"],
            AlgorithmSpecification={"TrainingImage": outputs["TrainingImage"], "TrainingInputMode": "File"},
            HyperParameters={
                "sagemaker_program": "train.py",
                "breakage": breakage,
                **({"over": over} if over else {}),
                "sagemaker_submit_directory": f"s3://{data_bucket}/{key}",
            },
            InputDataConfig=[
                {
                    "ChannelName": "champion",
                    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{data_bucket}/{given}/"}},
                }
            ],
            OutputDataConfig={"S3OutputPath": f"s3://{artifacts}/training"},
            ResourceConfig={"InstanceCount": 1, "InstanceType": outputs["TrainingInstanceType"], "VolumeSizeInGB": 30},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            job = self.sagemaker.describe_training_job(TrainingJobName=job_name)
            if job["TrainingJobStatus"] != "InProgress":
                assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
                return job_name
            time.sleep(0.3)
        raise AssertionError(f"{job_name} did not end")

    def read(self, uri: str) -> bytes:
        """An object of S3."""
        found = urlsplit(uri)
        return self.project.client("s3").get_object(Bucket=found.netloc, Key=found.path.lstrip("/"))["Body"].read()

    def overwrite(self, uri: str, content: bytes | None) -> None:
        """Put other content into an object, or delete it, although the bucket's policy keeps everybody from it."""
        place, storage = urlsplit(uri), self.project.client("s3")
        bucket, key = place.netloc, place.path.lstrip("/")
        policy = storage.get_bucket_policy(Bucket=bucket)["Policy"]
        storage.delete_bucket_policy(Bucket=bucket)
        try:
            if content is None:
                storage.delete_object(Bucket=bucket, Key=key)
            else:
                storage.put_object(Bucket=bucket, Key=key, Body=content)
        finally:
            storage.put_bucket_policy(Bucket=bucket, Policy=policy)

    @contextmanager
    def asked_steadily(self, texts: list[str], per_second: float = 20.0) -> Iterator[Stream]:
        """While the block runs, one sentence after another is sent to the API at this rate, whatever the answers."""
        with asking(self.project.status["api_url"], texts, per_second) as stream:
            yield stream

    def kill(self) -> None:
        """End the local cloud as a power cut would."""
        pid = int((self.project.folder / "server.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                    return
                time.sleep(0.05)
