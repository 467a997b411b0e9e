"""CodeBuild without a build: the source is fetched and checked, and the build's record says that this was all.

ministack reports every build as a success without a look at its source.
"""

import io
import json
import logging
import zipfile
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ministack.core.responses import json_response
from ministack.services import codebuild

from local.emulator.access import front_door
from local.emulator.access.identity import assume_service_role
from local.emulator.common.errors import CannotAssumeRoleError
from local.emulator.common.patching import Answer, Original, Record

logger = logging.getLogger("local.image_builds")

_PRINCIPAL = "codebuild.amazonaws.com"
_NOTHING_BUILT = (
    "The local cloud has no Docker: no image was built and none was pushed. The source was fetched with the project's "
    "role, and it has a Dockerfile. Where the image would run, the program from the image map runs."
)


def start_build(original: Original, request: Record) -> Answer:
    """Check the source of a build with the project's own role."""
    status, headers, body = original(request)
    if status >= 400:
        return status, headers, body
    identifier = json.loads(body)["build"]["id"]
    build = codebuild._builds[identifier]
    failed_phase, message = _check_source(codebuild._projects[request["projectName"]])
    if not failed_phase:
        logger.warning("Build %s: %s", identifier, message)
    build = codebuild._builds[identifier] = finished(build, failed_phase, message)
    answer: Answer = json_response({"build": build})
    return answer


def build_arn(original: Original, service: str, *request: Any) -> str:
    """Authorise requests about builds on their project's ARN."""
    found = str(original(service, *request))
    if service == "codebuild" and found == "*":
        _, _, _, body, _, region, account = request
        with suppress(ValueError, AttributeError):  # not a JSON object
            if project := project_of(json.loads(body or b"{}")):
                return f"arn:aws:codebuild:{region}:{account}:project/{project}"
    return found


def project_of(request: Record) -> str:
    """Return the project that a request about builds names (`<project>:<id>`), or an empty string."""
    build = str(request.get("id") or next(iter(request.get("ids") or []), ""))
    return build.rpartition(":")[0]


def source_problem(archive: bytes) -> str:
    """Return why no image can be built from a zipped source, or an empty string."""
    try:
        names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    except zipfile.BadZipFile:
        return "The source is not a zip archive."
    if any(name.rpartition("/")[2] == "Dockerfile" for name in names):
        return ""
    return f"There is no Dockerfile in the source. It holds: {', '.join(sorted(names)[:20]) or 'nothing'}"


def finished(build: Record, failed_phase: str, message: str) -> Record:
    """Return a build's record after its end.

    `build` has all phases succeeded. `message` is shown with `failed_phase`, or with BUILD where no phase failed.
    """
    phases = list(build["phases"])
    at = [phase["phaseType"] for phase in phases].index(failed_phase or "BUILD")
    contexts = [{"statusCode": "COMMAND_EXECUTION_ERROR" if failed_phase else "", "message": message}]
    phases[at] = {**phases[at], "contexts": contexts}
    if failed_phase:
        phases[at]["phaseStatus"] = "FAILED"
        phases[at + 1 :] = [{"phaseType": "COMPLETED"}]
    return {**build, "phases": phases, "buildStatus": "FAILED" if failed_phase else "SUCCEEDED"}


def _check_source(project: Record) -> tuple[str, str]:
    """Return the phase that fails, if any, and the message of the build."""
    source = project.get("source", {})
    if source.get("type") != "S3":
        return "DOWNLOAD_SOURCE", "The local cloud supports sources in S3 only."
    bucket, _, key = source.get("location", "").partition("/")
    try:
        s3 = front_door.client("s3", assume_service_role(project["serviceRole"], _PRINCIPAL, "AWSCodeBuild"))
        archive = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (BotoCoreError, CannotAssumeRoleError, ClientError) as error:
        return "DOWNLOAD_SOURCE", str(error)
    if problem := source_problem(archive):
        return "BUILD", problem
    return "", _NOTHING_BUILT
