"""The training job's source as the tarball that SageMaker's training toolkit unpacks."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import FileAssetPackaging, Stack
from constructs import Construct

from stacks.common.names import bucket_arn
from stacks.common.project_sources import assembly_folder, staging_folder
from stacks.common.source_code import write_tarball


class TrainingCode(Construct):
    """`<version>.tar.gz` in the bootstrap bucket.

    Attributes:
        uri: `s3://…tar.gz`, the value of `sagemaker_submit_directory`.
        object_arn: ARN of that one object.
        version: SHA-256 (hex) of the content.
    """

    def __init__(self, scope: Construct, construct_id: str, *, folder: Path) -> None:
        """Pack a folder, which has the entry point at its root, and declare it as an asset."""
        super().__init__(scope, construct_id)
        tarball = staging_folder(self, "training") / "sourcedir.tar.gz"
        self.version = write_tarball(folder, tarball)
        # Not `aws_s3_assets.Asset`: it keeps the last suffix only, and the toolkit takes a key that doesn't end in
        # .tar.gz for a folder. A hash that ends in .tar gives the key its whole suffix.
        asset = Stack.of(self).synthesizer.add_file_asset(
            source_hash=f"{self.version}.tar",
            file_name=tarball.relative_to(assembly_folder(self)).as_posix(),
            packaging=FileAssetPackaging.FILE,
            display_name="training code",
        )
        self.uri = f"s3://{asset.bucket_name}/{asset.object_key}"
        self.object_arn = f"{bucket_arn(self, asset.bucket_name)}/{asset.object_key}"
