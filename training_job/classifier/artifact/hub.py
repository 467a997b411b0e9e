"""Publish a model folder to the Hugging Face Hub.

    HF_TOKEN=… python -m classifier.artifact.hub --model-dir OUT --repo-id NAME/MODEL

The token comes only from the environment variable HF_TOKEN: a hyperparameter would be readable in every console.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from classifier.errors import ClassifierError, JobError


def publish(model_dir: Path, repo_id: str, *, private: bool = True, endpoint: str | None = None) -> str:
    """Upload `model_dir` to the model repository `owner/name`, created if necessary; return the URL of the commit.

    `endpoint`: address of the hub; default: HF_ENDPOINT, else the public hub. Raises JobError: there is no token or no
    model, or the hub refused.
    """
    if not (model_dir / "config.json").is_file():
        raise JobError(f"{model_dir} holds no model (no config.json).")
    token = os.environ.get("HF_TOKEN")
    if not token:
        raise JobError(
            "There is no token for the Hugging Face Hub.",
            hint="Set the environment variable HF_TOKEN to a token with write access.",
        )
    import httpx
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=token)
    try:
        api.create_repo(repo_id, exist_ok=True, private=private)
        commit = api.upload_folder(repo_id=repo_id, folder_path=model_dir, commit_message="Publish the model")
    except (OSError, ValueError, httpx.HTTPError) as e:
        raise JobError(
            f"The model could not be published to {repo_id}: {str(e).strip().splitlines()[0]}",
            hint="The model folder is complete; publish it later with python -m classifier.artifact.hub.",
        ) from e
    return str(commit.commit_url)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m classifier.artifact.hub", description="Publish a model folder to the hub."
    )
    parser.add_argument("--model-dir", type=Path, required=True, help="The model folder.")
    parser.add_argument("--repo-id", required=True, help="owner/name of the model repository.")
    parser.add_argument("--public", action="store_true", help="Make a new repository public instead of private.")
    arguments = parser.parse_args(argv)
    try:
        address = publish(arguments.model_dir, arguments.repo_id, private=not arguments.public)
    except ClassifierError as e:
        sys.stderr.write(f"{e}\n")
        return 1
    sys.stdout.write(f"{address}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
