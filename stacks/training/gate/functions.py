"""The two Lambdas of the gate: one plans which evidence is needed, the other judges it."""

from aws_cdk import Duration
from constructs import Construct

from stacks.common.permissions import (
    Right,
    grant,
    list_buckets,
    look_at_champion,
    read_objects,
    use_packages,
    write_objects,
)
from stacks.common.python_function import FunctionSetup, PythonFunction
from stacks.common.s3_folder import S3Folder

# A whole vCPU; the resampling is plain Python and limited by it.
_JUDGE_MB = 1769


class GateFunctions(Construct):
    """The functions between a trained model and its approval.

    `plan`: names the artifacts that have yet to answer the test sentences. `judge`: turns answers into a verdict and a
    report.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, setup: FunctionSetup, artifacts: S3Folder, evidence: S3Folder
    ) -> None:
        """Create the functions.

        `artifacts`: where training jobs write; the report is written beside the model. `evidence`: where test sentences
        and answers lie; in the same bucket.
        """
        super().__init__(scope, construct_id)
        self._setup, self._artifacts, self._evidence = setup, artifacts, evidence
        names = setup.names
        by_hash = "Evidence is named by the hash of the test sentences."
        plan = self._create(
            "plan",
            description="Finds out which models have yet to answer the test sentences",
            memory_mb=1024,
            write=write_objects(evidence.objects_arn, reason=by_hash),
        )
        grant(plan.role, look_at_champion(names.serving_stack_arn), use_packages(names.package_arns))
        judge = self._create(
            "judge",
            description="Judges a model by its answers to the test sentences",
            memory_mb=_JUDGE_MB,
            write=write_objects(
                artifacts.arn_of("*/evaluation/*"),
                reason="The report lies beside the model, under the name of its job.",
            ),
        )
        self.plan, self.judge = plan.function, judge.function

    def _create(self, step: str, *, description: str, memory_mb: int, write: Right) -> PythonFunction:
        names, sources = self._setup.names, self._setup.sources
        created = PythonFunction(
            self,
            step.capitalize(),
            setup=self._setup,
            name=f"gate-{step}",
            description=description,
            handler=f"gate.{step}.handler",
            sources={
                "gate": sources.lambda_package("gate"),
                "distribution": sources.lambda_package("distribution"),
                # The job's own resampling, so that a report and a verdict speak of the same intervals.
                "classifier/evaluation": sources.training_job / "classifier" / "evaluation",
            },
            service="gate",
            environment={
                "ARTIFACTS_BUCKET": self._artifacts.bucket_name,
                "EVIDENCE_PREFIX": self._evidence.prefix,
                "SERVING_STACK": names.serving_stack,
                "PREFIX": names.prefix,
                "MODEL_PACKAGE_GROUP": names.package_group,
            },
            memory_mb=memory_mb,
            timeout=Duration.minutes(15),
        )
        grant(
            created.role,
            read_objects(
                self._artifacts.objects_arn,
                self._evidence.objects_arn,
                reason="An artifact's key contains the name of its job, the evidence's a hash.",
            ),
            write,
            list_buckets(self._artifacts.bucket_arn),
        )
        return created
