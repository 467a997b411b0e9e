"""Entry point of the keep function: copy a job's archive to where no job can write, under the digest of its bytes.

Evidence, model package and endpoint name the copy, so what serves is what was judged. Of the answers to the test
sentences it notes version and digest, so what is judged is what was answered.
"""

import hashlib
import os
import tarfile
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from gate.evidence.job_output import RAISED_BY_TARFILE, members_of
from shared.function import client, failures_logged
from shared.settings import required
from shared.storage import Hashed, ObjectStore

FILES_VARIABLE = "MODEL_FILES_SHA256"
"""Tells the slim server the digest of its files, from outside the archive."""

logger = Logger()


@logger.inject_lambda_context
def handler(event: Mapping[str, str], context: LambdaContext) -> dict[str, Any]:
    """Handle the call; see `record` for an event with `evidence`, and `run` for one with `model_data`."""
    with failures_logged(logger, "keeping failed"):
        if "evidence" in event:
            return record(event["evidence"], client("s3"))
        kept = run(event["model_data"], os.environ, client("s3"))
    logger.info("kept", **kept)
    return kept


def run(model_data: str, environment: Mapping[str, str], s3: Any) -> dict[str, Any]:
    """Copy the archive at `model_data` with the given boto3 client.

    Returns the address of the copy, the archive's SHA-256, and the variables that a serving container needs to check
    its files. Raises FunctionError: MisconfiguredError, or StorageError, also where the archive is replaced meanwhile.
    """
    store, folder = ObjectStore(s3), required(environment, "MODELS_URI")
    version = store.version(model_data)
    with store.opened(model_data, version) as body:
        reader = Hashed(body)
        files = served_files_digest(reader)
        digest = reader.finish()
    kept = f"{folder}/{digest}/model.tar.gz"
    store.copy(model_data, version, kept)
    return {"model_data": kept, "sha256": digest, "environment": {FILES_VARIABLE: files} if files else {}}


def record(uri: str, s3: Any) -> dict[str, Any]:
    """Return which version of the answers at `uri` there is now, and its SHA-256. Raises StorageError."""
    store = ObjectStore(s3)
    version = store.version(uri)
    with store.opened(uri, version) as body:
        return {"uri": uri, "version": version.get("VersionId", ""), "sha256": Hashed(body).finish()}


def served_files_digest(archive: Any) -> str:
    """Return the digest of the list of files that the slim server reads, written as `sha256sum` does.

    The server computes the same of what it finds (training_job/serving/server/digests.py). Empty for an archive that
    can't be unpacked: the model will not answer the test sentences, and that is its verdict.
    """
    digests: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=archive, mode="r|gz") as members:
            for member in members_of(members):
                name = member.name.removeprefix("./")
                if member.isfile() and (name in ("config.json", "tokenizer.json") or name.startswith("onnx/")):
                    digests[name] = Hashed(members.extractfile(member)).finish()
    except RAISED_BY_TARFILE:
        return ""
    lines = (f"{digests[name]}  {name}\n" for name in sorted(digests))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
