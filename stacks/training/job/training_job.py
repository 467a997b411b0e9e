"""What a training job is made of: image, code, role, instance and hyperparameters."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import Stack
from constructs import Construct

from stacks.common.dlc_image import TRAINING, resolve_image
from stacks.common.outputs import add_outputs
from stacks.common.project_sources import ProjectSources
from stacks.common.s3_folder import S3Folder
from stacks.config.environment import TrainingConfig
from stacks.training.job.code import TrainingCode
from stacks.training.job.request import JobRecipe
from stacks.training.job.role import TrainingRole


class TrainingJob(Construct):
    """The recipe of a job; the workflow starts it, and so can a terminal or the console, from the stack's outputs.

    Attributes:
        code: the code tarball.
        role: the role that jobs run under.
        recipe: what all jobs have in common.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        settings: TrainingConfig,
        sources: ProjectSources,
        datasets: S3Folder,
        artifacts: S3Folder,
        tags: Mapping[str, str],
    ) -> None:
        """Pack the code and create the role.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            prefix: first part of the role's name.
            settings: the configuration's part about training.
            sources: where the code lies.
            datasets: where a job's channels lie.
            artifacts: where jobs write.
            tags: tags of every job.
        """
        super().__init__(scope, construct_id)
        image = resolve_image(TRAINING, Stack.of(self).region)
        self.code = TrainingCode(self, "Code", folder=sources.training_job)
        self.role = TrainingRole(
            self,
            "Role",
            name=f"{prefix}-training",
            datasets=datasets,
            artifacts=artifacts,
            code_object_arn=self.code.object_arn,
            image=image,
        ).role
        self.recipe = JobRecipe(
            image=image.uri,
            role_arn=self.role.role_arn,
            code_uri=self.code.uri,
            output_uri=artifacts.uri,
            environment={"HF_HUB_OFFLINE": "1"} if settings.offline else {},
            tags=tags,
            settings=settings,
        )
        add_outputs(
            self,
            {
                "TrainingRoleArn": self.role.role_arn,
                "TrainingImage": image.uri,
                "TrainingCodeUri": self.code.uri,
                "TrainingInstanceType": settings.instance_type,
                "DefaultHyperparameters": json.dumps(settings.default_hyperparameters),
            },
        )
