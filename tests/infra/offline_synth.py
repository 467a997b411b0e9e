"""Synthesises every environment the way app.py does; run by conftest.py as a process without a network.

Usage: python offline_synth.py <project root> <folder for the assemblies> <variants as JSON>

A variant is an environment with values overridden, as ``cdk -c`` does it. Writes <folder>/<environment>/,
<folder>/<variant>/ and <folder>/facts.json: whether a network could be reached, by which rules
the checks stop a careless stack, and what each environment's assembly took in seconds.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT, OUTPUT = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(ROOT))

from aws_cdk import App, Stack  # noqa: E402
from aws_cdk import aws_s3 as s3  # noqa: E402

import app as project  # noqa: E402
from stacks.common.project_sources import ProjectSources  # noqa: E402
from stacks.config.environment import load_config  # noqa: E402


def network_is_reachable() -> bool:
    """Whether a packet would leave this process; nothing is sent to the documentation address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return False
    return True


def project_sources(folder: str, place: Callable[[Path, Path], object]) -> ProjectSources:
    """The project's code with stand-ins for the packages that set-up may not have assembled yet."""
    root = OUTPUT / folder
    for name in ("lambda-layer/python/placeholder.py", "training-wheels/wheels/placeholder.whl"):
        (root / "build" / name).parent.mkdir(parents=True)
        (root / "build" / name).write_text("")
    for name in ("training_job", "lambda", "container"):
        place(ROOT / name, root / name)
    return ProjectSources(root=root)


def sketch(source: Path, destination: Path) -> None:
    """Copy a file of each folder, and those that a stack names: only the hash of the code would tell a difference."""
    stacks = "".join(path.read_text() for path in (ROOT / "stacks").rglob("*.py"))

    def others(folder: str, names: list[str]) -> set[str]:
        files = sorted(name for name in names if Path(folder, name).is_file())
        return {"__pycache__", *(name for name in files[1:] if f'{name}"' not in stacks)}

    shutil.copytree(source, destination, ignore=others)


def synthesise(name: str, context: dict[str, object], sources: ProjectSources) -> float:
    """Write one assembly; the seconds it took."""
    start = time.perf_counter()
    app = App(context=context, outdir=str(OUTPUT / name), analytics_reporting=False)
    project.build(app, load_config(app.node.try_get_context, {}), sources)
    project.add_checks(app)
    app.synth()
    return time.perf_counter() - start


def rules_that_stop_a_plain_bucket(context: dict[str, object]) -> list[str]:
    """The rules by which the app's checks refuse a bucket with nothing but defaults; none if it passes."""
    folder = OUTPUT / "refused"
    app = App(context=context, outdir=str(folder), analytics_reporting=False)
    s3.Bucket(Stack(app, "Careless"), "Bucket")
    project.add_checks(app)
    try:
        app.synth()
    except RuntimeError:
        report = json.loads((folder / "validation-report.json").read_text())
        return [found["ruleName"] for plugin in report["pluginReports"] for found in plugin["violations"]]
    return []


def main() -> None:
    """Synthesise all environments of cdk.json, and the variants."""
    gc.disable()  # constructs are kept to the end: looking for garbage finds none, and takes time
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    whole = project_sources("project", lambda source, place: place.symlink_to(source))
    small = project_sources("sketch", sketch)
    wanted = {env: {"env": env} for env in context["environments"]} | json.loads(sys.argv[3])
    facts = {
        "network": network_is_reachable(),
        "seconds": {
            name: synthesise(name, {**context, **values}, small if "-" in name else whole)
            for name, values in wanted.items()
        },
        "refused_by": rules_that_stop_a_plain_bucket(context),
    }
    (OUTPUT / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    os.environ["JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION"] = "1"
    main()
