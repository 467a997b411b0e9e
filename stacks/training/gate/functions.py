"""The two Lambdas of the gate: one finds out which evidence is missing, the other judges it."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common.acknowledgements import accept_wildcard
from stacks.common.log_keeping import LogKeeping
from stacks.common.project_sources import ProjectSources
from stacks.common.python_function import PythonFunction
from stacks.common.s3_folder import S3Folder
from stacks.common.statements import list_buckets, read_objects, write_objects
from stacks.training.gate.model_registry import ModelRegistry

# A whole vCPU; the resampling is plain Python and does nothing but count.
_JUDGE_MB = 1769


class GateFunctions(Construct):
    """What stands between a trained model and its approval.

    Attributes:
        plan: names the artifacts that have yet to answer the test sentences.
        judge: turns answers into a verdict and a report.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        serving_stack: str,
        registry: ModelRegistry,
        artifacts: S3Folder,
        evidence: S3Folder,
        sources: ProjectSources,
        layer: lambda_.ILayerVersion,
        logs: LogKeeping,
    ) -> None:
        """Create the functions.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            prefix: first part of the functions' names and of the models and jobs that `plan` names.
            serving_stack: name of the stack whose parameter says which package is the champion.
            registry: group whose packages are compared.
            artifacts: where training jobs write; the report goes beside the model.
            evidence: where test sentences and answers lie; in the same bucket.
            sources: where the code lies.
            layer: third-party packages.
            logs: how long the logs are kept.
        """
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        champion = f"arn:{stack.partition}:cloudformation:{stack.region}:{stack.account}:stack/{serving_stack}/*"
        reports = f"{artifacts.bucket_arn}/{artifacts.prefix}/*/evaluation/*"

        def create(step: str, *, description: str, memory_mb: int, written: str) -> PythonFunction:
            made = PythonFunction(
                self,
                step.capitalize(),
                name=f"{prefix}-gate-{step}",
                description=description,
                handler=f"gate.{step}.handler",
                sources={
                    **{name: sources.lambda_package(name) for name in ("gate", "distribution", "shared")},
                    # The job's own resampling, so that a report and a verdict speak of the same intervals.
                    "classifier/evaluation": sources.training_job / "classifier" / "evaluation",
                },
                layers=[layer],
                environment={
                    "ARTIFACTS_BUCKET": artifacts.bucket_name,
                    "EVIDENCE_PREFIX": evidence.prefix,
                    "SERVING_STACK": serving_stack,
                    "PREFIX": prefix,
                    "MODEL_PACKAGE_GROUP": registry.name,
                    "POWERTOOLS_SERVICE_NAME": "gate",
                },
                memory_mb=memory_mb,
                timeout=Duration.minutes(15),
                logs=logs,
            )
            for statement in (
                read_objects(artifacts.objects_arn, evidence.objects_arn),
                write_objects(written),
                list_buckets(artifacts.bucket_arn),
            ):
                made.role.add_to_policy(statement)
            accept_wildcard(made.role, artifacts.objects_arn, "An artifact's key contains the name of its job.")
            accept_wildcard(made.role, evidence.objects_arn, "Evidence is named by the hash of the test sentences.")
            return made

        plan = create(
            "plan",
            description="Finds out which models have yet to answer the test sentences",
            memory_mb=1024,
            written=evidence.objects_arn,
        )
        plan.role.add_to_policy(iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[champion]))
        plan.role.add_to_policy(
            iam.PolicyStatement(actions=["sagemaker:DescribeModelPackage"], resources=[registry.packages_arn])
        )
        accept_wildcard(plan.role, champion, "CloudFormation puts an id behind the name of this one stack.")
        accept_wildcard(plan.role, registry.packages_arn, "Any version of this one group may be the champion.")
        judge = create(
            "judge",
            description="Judges a model by its answers to the test sentences",
            memory_mb=_JUDGE_MB,
            written=reports,
        )
        accept_wildcard(judge.role, reports, "The report lies beside the model, under the name of its job.")
        self.plan, self.judge = plan.function, judge.function
