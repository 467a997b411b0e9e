"""What a training job consists of: image, code, role, instance and hyperparameters."""

import json
from collections.abc import Sequence
from dataclasses import replace

from aws_cdk import FileAssetLocation, FileAssetPackaging, Stack
from constructs import Construct

from stacks.common.container_image import TRAINING, resolve_image
from stacks.common.names import bucket_arn
from stacks.common.permissions import (
    Right,
    container_rights,
    list_below,
    read_objects,
    read_secret,
    service_role,
    write_objects,
)
from stacks.common.project_sources import ProjectSources, assembly_folder, staging_folder
from stacks.common.project_stack import add_outputs
from stacks.common.python_function import FunctionSetup
from stacks.common.s3_folder import S3Folder
from stacks.common.source_code import stage_folder, write_tarball
from stacks.config.environment import BASE_MODEL_CHANNEL, Config, TrainingConfig
from stacks.training.job.network import IsolatedNetwork
from stacks.training.job.request import JobRecipe

_LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_OF_RUNS = ("SearchRuns", "CreateRun", "GetRun", "UpdateRun", "LogBatch")
_OF_EXPERIMENTS = ("GetExperimentByName", "CreateExperiment", "GetExperiment")
TRACKING_ACTIONS = [f"sagemaker-mlflow:{action}" for action in (*_OF_EXPERIMENTS, *_OF_RUNS)]
"""What a job asks of MLflow: to find or make its experiment and its run, and to send into it."""


def training_job(
    scope: Construct, *, setup: FunctionSetup, config: Config, datasets: S3Folder, artifacts: S3Folder
) -> JobRecipe:
    """Pack the code and create the role; return what all jobs have in common.

    The workflow starts a job from it; a terminal or the console can, from the stack's outputs.
    """
    settings = config.training
    image = resolve_image(TRAINING, config.region)
    version, asset = _pack(Construct(scope, "Code"), sources=setup.sources, isolated=settings.isolated)
    key_arn = setup.names.key_arn
    base_models = replace(datasets, prefix="base-model")
    from_channel = settings.default_hyperparameters["base_model"] == BASE_MODEL_CHANNEL
    code_object_arn = f"{bucket_arn(scope, asset.bucket_name)}/{asset.object_key}"
    in_s3 = _in_s3([datasets, *([base_models] if from_channel else [])], artifacts, code_object_arn)
    network = IsolatedNetwork(Construct(scope, "Network"), reachable=in_s3) if settings.isolated else None
    rights = [
        *in_s3,
        *container_rights(scope, images=[image], log_groups=[_LOG_GROUP], key_arn=key_arn),
        *(read_secret(settings.hub_token_secret) if settings.hub_token_secret else []),
        *(network.rights if network else []),
        *([Right(TRACKING_ACTIONS, [settings.tracking_uri])] if settings.tracking_uri.startswith("arn:") else []),
    ]
    role = service_role(
        Construct(scope, "Role"),
        name=setup.names.global_name(setup.names.training),
        service="sagemaker",
        description="Execution role of training jobs",
        inline={"training-job": rights},
    )
    recipe = JobRecipe(
        image=image.uri,
        role_arn=role.role_arn,
        code_uri=f"s3://{asset.bucket_name}/{asset.object_key}",
        code_version=version,
        output_uri=artifacts.uri,
        output_key={"KmsKeyId": key_arn} if key_arn else {},
        network={"VpcConfig": network.vpc_config} if network else {},
        base_model_uri=f"{base_models.uri}/" if from_channel else "",
        environment=_environment(settings, experiment=setup.names.prefix),
        tags=config.tags,
        settings=settings,
    )
    add_outputs(
        scope,
        {
            "TrainingRoleArn": recipe.role_arn,
            "TrainingImage": recipe.image,
            "TrainingCodeUri": recipe.code_uri,
            "TrainingInstanceType": settings.instance_type,
            "DefaultHyperparameters": json.dumps(settings.default_hyperparameters),
        },
    )
    return recipe


def _environment(settings: TrainingConfig, *, experiment: str) -> dict[str, str]:
    """Return the job's variables; `experiment`: under which it reports to MLflow."""
    variables = {
        "HF_HUB_OFFLINE": "1" if settings.offline or settings.isolated else "",
        # pip is started, as the job is, in the folder of the code.
        "PIP_NO_INDEX": "1" if settings.isolated else "",
        "PIP_FIND_LINKS": "wheels" if settings.isolated else "",
        "HUB_TOKEN_SECRET": settings.hub_token_secret,
        "MLFLOW_TRACKING_URI": settings.tracking_uri,
        "MLFLOW_EXPERIMENT_NAME": experiment if settings.tracking_uri else "",
    }
    return {name: value for name, value in variables.items() if value}


def _in_s3(inputs: Sequence[S3Folder], artifacts: S3Folder, code_object_arn: str) -> list[Right]:
    """Return the rights to read data, code and checkpoints, and to write what a job leaves; `inputs`: in one bucket."""
    checkpoints = artifacts.arn_of("*/checkpoints/*")
    reason = "A data set's key contains its hash, an artifact's the name of its job; neither is known beforehand."
    return [
        read_objects(*(one.objects_arn for one in inputs), checkpoints, code_object_arn, reason=reason),
        list_below(inputs[0].bucket_arn, *(f"{one.prefix}/" for one in inputs)),
        list_below(artifacts.bucket_arn, f"{artifacts.prefix}/"),
        # No key of IAM's tells which job asks. What the gate writes beside an artifact is out of reach of all jobs.
        # SageMaker profiles jobs unless it is told not to, and writes what it finds with the job's role.
        write_objects(*map(artifacts.arn_of, ("*/output/*", "*/profiler-output/*")), checkpoints, reason=reason),
    ]


def _pack(scope: Construct, *, sources: ProjectSources, isolated: bool) -> tuple[str, FileAssetLocation]:
    """Pack the code, and the wheels of an isolated job; return the SHA-256 of the content and the archive's place."""
    tarball = staging_folder(scope, "training") / "sourcedir.tar.gz"
    folder = sources.training_job
    if isolated:
        wheels = sources.assembled("training-wheels") / "wheels"
        folder = stage_folder(staging_folder(scope, "isolated"), {".": folder, "wheels": wheels})
    version = write_tarball(folder, tarball)
    # Not `aws_s3_assets.Asset`: it keeps the last suffix only, and SageMaker's training toolkit takes a key that does
    # not end in .tar.gz for a folder. A hash that ends in .tar gives the key its whole suffix.
    asset = Stack.of(scope).synthesizer.add_file_asset(
        source_hash=f"{version}.tar",
        file_name=tarball.relative_to(assembly_folder(scope)).as_posix(),
        packaging=FileAssetPackaging.FILE,
        display_name="training code",
    )
    return version, asset
