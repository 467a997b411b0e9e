"""Builds of the local cloud: no image is built, and a source that cannot be built fails."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from local.emulator.builds.image_builds import finished, project_of, source_problem

PHASES = ("SUBMITTED", "DOWNLOAD_SOURCE", "BUILD", "COMPLETED")
BUILD: dict[str, Any] = {"phases": [{"phaseType": name, "phaseStatus": "SUCCEEDED"} for name in PHASES]}


def archive(*names: str) -> bytes:
    """A zip of empty files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name in names:
            made.writestr(name, "")
    return content.getvalue()


def test_a_source_with_a_dockerfile_could_be_built() -> None:
    """The Dockerfile may be in any folder of the source."""
    assert source_problem(archive("container/Dockerfile", "training_job/serving/predictor.py")) == ""


def test_a_source_without_one_names_what_it_holds() -> None:
    """The message lists the files; a Dockerfile's ignore list does not count as one."""
    assert "container/Dockerfile.dockerignore" in source_problem(archive("container/Dockerfile.dockerignore"))
    assert "zip" in source_problem(b"nonsense")


def test_success_says_that_nothing_was_built() -> None:
    """The message is shown with the phase that would have built the image."""
    build = finished(BUILD, "", "no image was built")
    assert build["buildStatus"] == "SUCCEEDED"
    assert [p["contexts"][0]["message"] for p in build["phases"] if "contexts" in p] == ["no image was built"]


def test_a_failed_phase_ends_the_build() -> None:
    """No later phase ran, and the message is the failed phase's."""
    build = finished(BUILD, "DOWNLOAD_SOURCE", "access denied")
    assert build["buildStatus"] == "FAILED"
    assert [p["phaseType"] for p in build["phases"]] == ["SUBMITTED", "DOWNLOAD_SOURCE", "COMPLETED"]
    assert build["phases"][1]["phaseStatus"] == "FAILED"
    assert build["phases"][1]["contexts"][0]["message"] == "access denied"


def test_a_builds_id_names_its_project() -> None:
    """StopBuild and BatchGetBuilds are authorised on the project that the id starts with."""
    assert project_of({"ids": ["p-image:1234"]}) == project_of({"id": "p-image:1234"}) == "p-image"
    assert project_of({}) == ""
