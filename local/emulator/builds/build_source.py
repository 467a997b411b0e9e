"""What can be told of a build without building: whether its source is there and could make an image."""

from __future__ import annotations

import io
import zipfile
from typing import Any

NOTHING_BUILT = (
    "The local cloud has no Docker: no image was built and none was pushed. The source was fetched with the project's "
    "role, and a Dockerfile is in it. Whatever would run the image runs the program that the image map names."
)


def problem(archive: bytes) -> str:
    """Why the zipped source of a build can make no image; empty where nothing speaks against it."""
    try:
        names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    except zipfile.BadZipFile:
        return "The source is no zip archive."
    if any(name.rpartition("/")[2] == "Dockerfile" for name in names):
        return ""
    return f"There is no Dockerfile in the source. It holds: {', '.join(sorted(names)[:20]) or 'nothing'}"


def project_of(request: dict[str, Any]) -> str:
    """Name of the project that a request about builds is about (``<project>:<id>``); empty where it names none."""
    build = str(request.get("id") or next(iter(request.get("ids") or []), ""))
    return build.rpartition(":")[0]


def finished(build: dict[str, Any], failed_phase: str, message: str) -> dict[str, Any]:
    """A build's record as it is once it has ended.

    Args:
        build: the record, with all phases succeeded.
        failed_phase: phase that ended it; empty for a build that succeeded.
        message: is told with that phase, or with BUILD.
    """
    phases = []
    for phase in build["phases"]:
        name = phase["phaseType"]
        told = name == (failed_phase or "BUILD")
        status = {"phaseStatus": "FAILED"} if told and failed_phase else {}
        context = {"contexts": [{"statusCode": "COMMAND_EXECUTION_ERROR" if status else "", "message": message}]}
        phases.append({**phase, **status, **(context if told else {})})
        if status:
            phases.append({"phaseType": "COMPLETED"})
            break
    return {**build, "phases": phases, "buildStatus": "FAILED" if failed_phase else "SUCCEEDED"}
