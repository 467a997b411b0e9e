"""The layer with the Lambdas' third-party packages, assembled beforehand by ``make setup``."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import IgnoreMode, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common.python_function import RUNTIME


class LambdaLayer(Construct):
    """Packages for all Lambdas of one stack.

    Attributes:
        layer: the layer.
    """

    def __init__(self, scope: Construct, construct_id: str, *, folder: Path) -> None:
        """Declare the layer.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            folder: holds ``python/`` with the installed packages.
        """
        super().__init__(scope, construct_id)
        self.layer = lambda_.LayerVersion(
            self,
            "Layer",
            description="Third-party packages of the Lambdas, pinned in lambda/requirements.txt",
            # pip's console scripts and byte code name the machine they were made on: they'd change the hash.
            code=lambda_.Code.from_asset(
                str(folder), exclude=["**/__pycache__/**", "python/bin/**"], ignore_mode=IgnoreMode.GLOB
            ),
            compatible_runtimes=[RUNTIME],
            removal_policy=RemovalPolicy.DESTROY,
        )
