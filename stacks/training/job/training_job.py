"""What a training job consists of: image, code, role, instance and hyperparameters."""

from __future__ import annotations

import json

from constructs import Construct

from stacks.common.container_image import TRAINING, resolve_image
from stacks.common.project_stack import add_outputs
from stacks.common.python_function import FunctionSetup
from stacks.common.s3_folder import S3Folder
from stacks.config.environment import Config
from stacks.training.job.code import TrainingCode
from stacks.training.job.request import JobRecipe
from stacks.training.job.role import training_role


class TrainingJob(Construct):
    """The recipe of a job. The workflow starts it; a terminal or the console can, from the stack's outputs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        setup: FunctionSetup,
        config: Config,
        datasets: S3Folder,
        artifacts: S3Folder,
    ) -> None:
        """Pack the code and create the role."""
        super().__init__(scope, construct_id)
        settings = config.training
        image = resolve_image(TRAINING, config.region)
        self.code = TrainingCode(self, "Code", folder=setup.sources.training_job)
        role = training_role(
            Construct(self, "Role"),
            name=setup.names.training,
            datasets=datasets,
            artifacts=artifacts,
            code_object_arn=self.code.object_arn,
            image=image,
        )
        self.recipe = JobRecipe(
            image=image.uri,
            role_arn=role.role_arn,
            code_uri=self.code.uri,
            output_uri=artifacts.uri,
            environment={"HF_HUB_OFFLINE": "1"} if settings.offline else {},
            tags=config.tags,
            settings=settings,
        )
        add_outputs(
            self,
            {
                "TrainingRoleArn": role.role_arn,
                "TrainingImage": image.uri,
                "TrainingCodeUri": self.code.uri,
                "TrainingInstanceType": settings.instance_type,
                "DefaultHyperparameters": json.dumps(settings.default_hyperparameters),
            },
        )
