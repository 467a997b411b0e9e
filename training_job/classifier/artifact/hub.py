"""Publishing a model folder to the Hugging Face Hub.

    HF_TOKEN=… python -m classifier.artifact.hub --model-dir OUT --repo-id NAME/MODEL

The token comes from the environment variable HF_TOKEN only: a hyperparameter would be readable in every console.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from classifier.errors import ClassifierError, PublishError


def publish(model_dir: Path, repo_id: str, *, private: bool = True, endpoint: str | None = None) -> str:
    """Uploads ``model_dir`` to the model repository ``repo_id``, which is made if it is not there.

    Args:
        model_dir: the artifact's folder.
        repo_id: ``owner/name``.
        private: whether a repository that is made is private.
        endpoint: the hub's address, if it is not the usual one (environment variable HF_ENDPOINT).

    Returns:
        The commit's address.

    Raises:
        PublishError: no token, no such folder, or the hub refused.
    """
    if not (model_dir / "config.json").is_file():
        raise PublishError(f"{model_dir} holds no model (no config.json).", repo_id=repo_id)
    token = os.environ.get("HF_TOKEN")
    if not token:
        raise PublishError(
            "There is no token for the Hugging Face Hub.",
            repo_id=repo_id,
            hint="Set the environment variable HF_TOKEN to a token with write access.",
        )
    import httpx
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=token)
    try:
        api.create_repo(repo_id, exist_ok=True, private=private)
        return str(
            api.upload_folder(repo_id=repo_id, folder_path=model_dir, commit_message="Publish the model").commit_url
        )
    except (OSError, ValueError, httpx.HTTPError) as e:
        raise PublishError(
            f"The model could not be published to {repo_id}: {str(e).strip().splitlines()[0]}",
            repo_id=repo_id,
            hint="The model folder itself is complete; publish it later with python -m classifier.artifact.hub.",
        ) from e


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; 0, or 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m classifier.artifact.hub", description="Publish a model folder to the hub."
    )
    parser.add_argument("--model-dir", type=Path, required=True, help="The model folder.")
    parser.add_argument("--repo-id", required=True, help="owner/name of the model repository.")
    parser.add_argument("--public", action="store_true", help="Make a new repository public rather than private.")
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
