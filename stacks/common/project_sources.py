"""Where the code lies that the stacks deploy. The stacks know these paths and import nothing from them."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Stage
from constructs import IConstruct

from stacks.errors import MissingAssetError


@dataclass(frozen=True, kw_only=True)
class ProjectSources:
    """Folders and files below the project's root."""

    root: Path

    @property
    def training_job(self) -> Path:
        """What SageMaker runs, packed as `sourcedir.tar.gz`."""
        return self.root / "training_job"

    @property
    def container(self) -> Path:
        """Dockerfile and pinned packages of the slim serving image."""
        return self.root / "container"

    def assembled(self, name: str) -> Path:
        """Return a folder of `build` that set-up assembles; it is assembled now if that has not happened yet.

        Raises MissingAssetError: it could not be.
        """
        folder, step = self.root / "build" / name, self.root / "tools" / "setup.py"
        if step.is_file():
            done = subprocess.run([sys.executable, str(step), "--assemble", name], capture_output=True, text=True)
            if done.returncode != 0:
                said = f"{sys.executable} could not assemble it: {done.stderr.strip()[-600:]}"
                raise MissingAssetError(str(folder), f"{said}\nOr run `make setup` once.")
        elif not folder.is_dir():
            raise MissingAssetError(str(folder), "run `make setup`, which assembles it")
        return folder

    def lambda_package(self, name: str) -> Path:
        """Return the folder of one Lambda's package."""
        return self.root / "lambda" / name


def assembly_folder(construct: IConstruct) -> Path:
    """Return the folder that the app is synthesised into."""
    stage = Stage.of(construct)
    if stage is None:
        raise ValueError("a construct outside of an app has no cloud assembly")
    return Path(stage.outdir)


def staging_folder(construct: IConstruct, name: str) -> Path:
    """Return the place in the cloud assembly for an asset that is put together during synthesis."""
    return assembly_folder(construct) / "staged" / name
