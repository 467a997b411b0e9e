"""Compare the CloudFormation templates of this tree with those of an earlier commit, over every configuration.

`python -m tools.compare_templates REVISION` synthesises both trees without a network and without an account. Hashes of
deployed code are ignored; `--wording` ignores texts for people too: descriptions, comments, reasons of accepted
findings and problem texts. Every other difference is listed. The exit status is 1 if there is one.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.configurations import CONFIGURATIONS

ROOT = Path(__file__).resolve().parent.parent

# Runs with a tree as working folder, so it may use only what app.py has always offered.
_SYNTHESISE = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from aws_cdk import App
import app as project
output, configurations = Path(sys.argv[1]), json.loads(sys.argv[2])
root = output / "project"
for name in ("lambda-layer/python/placeholder.py", "training-wheels/wheels/placeholder.whl"):
    (root / "build" / name).parent.mkdir(parents=True)
    (root / "build" / name).write_text("")
for name in ("training_job", "lambda", "container"):
    (root / name).symlink_to(Path.cwd() / name)
context = json.loads(Path("cdk.json").read_text())["context"]
for name, values in configurations.items():
    app = App(context={**context, **values}, outdir=str(output / name), analytics_reporting=False)
    project.build(app, project.load_config(app.node.try_get_context, {}), project.ProjectSources(root=root))
    project.add_checks(app)
    app.synth()
"""
_WORDING = {"Description", "description", "Comment", "Metadata", "reason", "AlarmDescription", "title", "detail"}


def synthesise(tree: Path, output: Path, *, wording: bool) -> int:
    """Write every template of a tree into a folder, with a word in place of each hash of code; return their number.

    `wording`: leave out the texts for people.
    """
    command = [sys.executable, "-c", _SYNTHESISE, str(output / "assemblies"), json.dumps(CONFIGURATIONS)]
    quiet = {"JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}
    subprocess.run(command, cwd=tree, check=True, env={**os.environ, **quiet}, stdout=subprocess.DEVNULL)
    templates = list(output.glob("assemblies/*/*.template.json"))
    for path in templates:
        template = json.loads(re.sub(r"\b[0-9a-f]{64}\b", "<hash>", path.read_text()))
        text = json.dumps(without_wording(template) if wording else template, indent=1, sort_keys=True)
        (output / f"{path.parent.name}-{path.name}").write_text(f"{text}\n")
    shutil.rmtree(output / "assemblies")
    return len(templates)


def without_wording(value: Any) -> Any:
    """Return a copy of a template without its texts for people; JSON inside strings is parsed, too."""
    if isinstance(value, dict):
        if set(value) == {"Fn::Join"} and value["Fn::Join"][0] == "" and isinstance(value["Fn::Join"][1], list):
            # A reference inside a document becomes plain text there.
            parts = (part if isinstance(part, str) else f"<{part}>".replace('"', "'") for part in value["Fn::Join"][1])
            return without_wording("".join(parts))
        return {key: without_wording(item) for key, item in value.items() if key not in _WORDING}
    if isinstance(value, list):
        return [without_wording(item) for item in value]
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            return without_wording(json.loads(value))
        except ValueError:
            return value
    return value


def main() -> int:
    """Compare; print git's list of the differences, the configurations and the number of templates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="the earlier commit")
    parser.add_argument("--wording", action="store_true", help="ignore texts for people")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        earlier = Path(scratch, "earlier")
        subprocess.run(["git", "worktree", "add", "-q", "--detach", earlier, options.revision], cwd=ROOT, check=True)
        try:
            synthesise(earlier, Path(scratch, "before"), wording=options.wording)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", earlier], cwd=ROOT, check=True)
        templates = synthesise(ROOT, Path(scratch, "after"), wording=options.wording)
        compare = ["git", "--no-pager", "diff", "--no-index", "--stat", "--patch", "--unified=1", "before", "after"]
        differ = subprocess.run(compare, cwd=scratch).returncode
    print(f"Compared: {', '.join(CONFIGURATIONS)}")
    print(
        f"{len(CONFIGURATIONS)} configurations, {templates} templates, {'differences' if differ else 'no difference'}"
    )
    return 1 if differ or not templates else 0


if __name__ == "__main__":
    sys.exit(main())
