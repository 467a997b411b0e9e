"""The Lambdas of the gate: one keeps the archive, one plans which evidence is needed, one judges it."""

from collections.abc import Sequence

from aws_cdk import Duration
from constructs import Construct

from stacks.common.permissions import (
    Right,
    grant,
    look_at_champion,
    read_objects,
    tell_missing,
    use_packages,
    write_objects,
)
from stacks.common.python_function import FunctionSetup, PythonFunction
from stacks.common.s3_folder import S3Folder

# A whole vCPU: the resampling is plain Python, the hashing of an archive one thread.
_VCPU_MB = 1769


class GateFunctions(Construct):
    """The functions between a trained model and its approval.

    `keep`: copies an archive to where only this function may write. `plan`: names the artifacts that have yet to answer
    the test sentences. `judge`: turns answers into a verdict and a report.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        setup: FunctionSetup,
        artifacts: S3Folder,
        evidence: S3Folder,
        models: S3Folder,
    ) -> None:
        """Create the functions.

        `artifacts`: where training jobs write; the report is written beside the model. `evidence`: where test sentences
        and answers lie; `models`: where kept archives lie. All three are in one bucket.
        """
        super().__init__(scope, construct_id)
        self._setup, self._artifacts, self._evidence, self._models = setup, artifacts, evidence, models
        names = setup.names
        by_hash = "Evidence is named by the hash of the test sentences."
        output, answers = artifacts.arn_of("*/output/output.tar.gz"), evidence.arn_of("*/sentences.jsonl.out")
        versions = (artifacts.arn_of("*/output/model.tar.gz"), answers)
        keep = self._create(
            "keep",
            description="Copies an archive to where no job can write, under the digest of its bytes",
            memory_mb=_VCPU_MB,
            read=versions,
            write=write_objects(models.arn_of("*/model.tar.gz"), reason="An archive is named by its bytes' digest."),
        )
        grant(keep.role, Right(["s3:GetObjectVersion"], versions, "The keys contain names and hashes."))
        plan = self._create(
            "plan",
            description="Finds out which models have yet to answer the test sentences",
            memory_mb=1024,
            read=(output,),
            write=write_objects(evidence.arn_of("*/sentences.jsonl"), reason=by_hash),
        )
        grant(plan.role, look_at_champion(names.serving_stack_arn), use_packages(names.package_arns))
        judge = self._create(
            "judge",
            description="Judges a model by its answers to the test sentences",
            memory_mb=_VCPU_MB,
            read=(output, answers),
            write=write_objects(
                artifacts.arn_of("*/evaluation/*"),
                reason="The report lies beside the model, under the name of its job.",
            ),
        )
        grant(judge.role, Right(["s3:GetObjectVersion"], [answers], by_hash))
        self.keep, self.plan, self.judge = keep.function, plan.function, judge.function

    def _create(
        self, step: str, *, description: str, memory_mb: int, read: Sequence[str], write: Right
    ) -> PythonFunction:
        names = self._setup.names
        created = PythonFunction(
            self,
            step.capitalize(),
            setup=self._setup,
            name=f"gate-{step}",
            description=description,
            handler=f"gate.{step}.handler",
            packages=("gate", "distribution"),
            # The job's own resampling, so that a report and a verdict speak of the same intervals.
            sources={"classifier/evaluation": self._setup.sources.training_job / "classifier" / "evaluation"},
            service="gate",
            environment={
                "ARTIFACTS_BUCKET": self._artifacts.bucket_name,
                "EVIDENCE_PREFIX": self._evidence.prefix,
                "MODELS_URI": self._models.uri,
                "SERVING_STACK": names.serving_stack,
                "PREFIX": names.prefix,
                "MODEL_PACKAGE_GROUP": names.package_group,
            },
            memory_mb=memory_mb,
            timeout=Duration.minutes(15),
        )
        grant(
            created.role,
            read_objects(*read, reason="An artifact's key contains the name of its job, the others' a hash."),
            write,
            tell_missing(self._artifacts.bucket_arn),
        )
        return created
