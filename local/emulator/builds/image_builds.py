"""CodeBuild without a build: the source is fetched and looked at, and the build says that this was all.

ministack calls every build a success without looking at anything.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ministack.core import iam_actions
from ministack.core.responses import get_region, json_response
from ministack.services import codebuild

from local.emulator.access.front_door import FrontDoor
from local.emulator.access.identity import assume_service_role
from local.emulator.builds import build_source
from local.emulator.common.errors import CannotAssumeRole

logger = logging.getLogger("local.image_builds")

_PRINCIPAL = "codebuild.amazonaws.com"
_SERVICE = "codebuild"


def install(front_door: FrontDoor) -> None:
    """Look at the source of each build, with the project's own role, and let IAM know which project a build is of."""
    start = codebuild._start_build

    def _start_build(request: dict) -> tuple:
        status, headers, body = start(request)
        if status >= 400:
            return status, headers, body
        identifier = json.loads(body)["build"]["id"]
        project = codebuild._projects[request["projectName"]]
        build = _looked_at(project, codebuild._builds[identifier], front_door)
        codebuild._builds[identifier] = build
        return json_response({"build": build})

    codebuild._start_build = _start_build
    find_arn = iam_actions.extract_resource_arn

    def extract_resource_arn(service, method, path, headers, body, query_params, region, account_id):
        found = find_arn(service, method, path, headers, body, query_params, region, account_id)
        if service == _SERVICE and found == "*" and (project := build_source.project_of(_parse(body))):
            return f"arn:aws:codebuild:{region}:{account_id}:project/{project}"
        return found

    iam_actions.extract_resource_arn = extract_resource_arn


def _looked_at(project: dict[str, Any], build: dict[str, Any], front_door: FrontDoor) -> dict[str, Any]:
    source = project.get("source", {})
    if source.get("type") != "S3":
        return build_source.finished(build, "DOWNLOAD_SOURCE", "The local cloud knows sources in S3 only.")
    bucket, _, key = source.get("location", "").partition("/")
    try:
        credentials = assume_service_role(project["serviceRole"], _PRINCIPAL, "AWSCodeBuild")
        s3 = front_door.client("s3", credentials, get_region())
        archive = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (BotoCoreError, CannotAssumeRole, ClientError) as error:
        return build_source.finished(build, "DOWNLOAD_SOURCE", str(error))
    if found := build_source.problem(archive):
        return build_source.finished(build, "BUILD", found)
    logger.warning("Build %s: %s", build["id"], build_source.NOTHING_BUILT)
    return build_source.finished(build, "", build_source.NOTHING_BUILT)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
