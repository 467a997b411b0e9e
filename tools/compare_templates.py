"""Compare the CloudFormation templates of this tree with those of an earlier commit, over every configuration.

`python -m tools.compare_templates REVISION` synthesises both trees without a network and without an account. Hashes of
deployed code are set aside; `--wording` sets aside texts for people too: descriptions, comments, reasons of accepted
findings and problem texts. Everything else that differs is listed. Exit status 1 where anything does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

_GUARDED = {
    "api.api_key_required": "true",
    "api.clients": "shop,newsletter",
    "api.client_rate_limit": "5",
    "api.client_burst_limit": "10",
    "api.client_daily_quota": "10000",
    "api.allowed_cidrs": "203.0.113.0/24,2001:db8::/32",
    "api.waf": "true",
    "api.waf_rate_limit": "500",
    "api.tracing": "true",
    "api.domain_name": "classify.example.com",
    "api.certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/0f1e2d3c-0000-4000-8000-000000000000",
    "api.hosted_zone_id": "Z0123456789ABCDEFGHIJ",
}
_SLIM = {"serving.container": "slim"}
_WARM = {"serving.provisioned_concurrency.min": "1", "serving.provisioned_concurrency.max": "4"}
_INSTANCES = {"serving.kind": "instances", "serving.instances.max_count": "6"}
_SPECIAL = {
    "plain": {},
    "slim": _SLIM,
    "warm": _WARM,
    "instances": _INSTANCES,
    "guarded": _GUARDED,
    "all": {**_SLIM, **_INSTANCES, **_GUARDED},
}
VARIANTS = {
    f"{env}-{name}": {"env": env, **values} for env in ("local", "dev", "prod") for name, values in _SPECIAL.items()
}
"""Name of a configuration → the context that `cdk -c` would give: each environment, plain and with its options."""

# Run with a tree as working folder, so it may use only what app.py has always offered.
_SYNTHESISE = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from aws_cdk import App
import app as project
output, variants = Path(sys.argv[1]), json.loads(sys.argv[2])
root = output / "project"
(root / "build" / "lambda-layer" / "python").mkdir(parents=True)
(root / "build" / "lambda-layer" / "python" / "placeholder.py").write_text("")
for name in ("training_job", "lambda", "container"):
    (root / name).symlink_to(Path.cwd() / name)
context = json.loads(Path("cdk.json").read_text())["context"]
for name, values in variants.items():
    app = App(context={**context, **values}, outdir=str(output / name), analytics_reporting=False)
    project.build(app, project.load_config(app.node.try_get_context, {}), project.ProjectSources(root=root))
    project.add_checks(app)
    app.synth()
"""
_WORDING = {"Description", "description", "Comment", "Metadata", "reason", "AlarmDescription", "title", "detail"}
_TEXTS_IN_JSON = re.compile(r"^\s*[\[{]")


def synthesise(tree: Path, output: Path) -> dict[str, Any]:
    """Every template of a tree by `configuration/stack`, with the hashes of code replaced by a word."""
    command = [sys.executable, "-c", _SYNTHESISE, str(output), json.dumps(VARIANTS)]
    quiet = {"JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}
    subprocess.run(command, cwd=tree, check=True, env={**os.environ, **quiet}, stdout=subprocess.DEVNULL)
    return {
        f"{path.parent.name}/{path.name.removesuffix('.template.json')}": json.loads(
            re.sub(r"\b[0-9a-f]{64}\b", "<hash>", path.read_text())
        )
        for path in sorted(output.glob("*/*.template.json"))
    }


def without_wording(value: Any) -> Any:
    """A copy of a template without its texts for people; documents inside strings are looked into."""
    if isinstance(value, dict):
        if set(value) == {"Fn::Join"} and not value["Fn::Join"][0]:
            parts = (part if isinstance(part, str) else f"<{json.dumps(part)[1:-1]}>" for part in value["Fn::Join"][1])
            return _document("".join(parts))
        return {key: without_wording(item) for key, item in value.items() if key not in _WORDING}
    if isinstance(value, list):
        return [without_wording(item) for item in value]
    return _document(value) if isinstance(value, str) and _TEXTS_IN_JSON.match(value) else value


def _document(text: str) -> Any:
    try:
        return without_wording(json.loads(text.replace('<"', "<'").replace('">', "'>")))
    except ValueError:
        return text


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """One line for each place at which two templates differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from differences(before.get(key, "nothing"), after.get(key, "nothing"), f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (left, right) in enumerate(zip(before, after, strict=True)):
            yield from differences(left, right, f"{path}/{number}")
    elif before != after:
        yield f"{path}: {json.dumps(before)[:300]} -> {json.dumps(after)[:300]}"


def main() -> int:
    """Compare; print each difference and a count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="the earlier commit")
    parser.add_argument("--wording", action="store_true", help="set texts for people aside")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        earlier = Path(scratch, "earlier")
        subprocess.run(["git", "worktree", "add", "-q", "--detach", earlier, options.revision], cwd=ROOT, check=True)
        try:
            before = synthesise(earlier, Path(scratch, "before"))
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", earlier], cwd=ROOT, check=True)
        after = synthesise(ROOT, Path(scratch, "after"))
    seen = without_wording if options.wording else lambda template: template
    found = list(differences(seen(before), seen(after)))
    print(*found, sep="\n")
    print(f"{len(VARIANTS)} configurations, {len(after)} templates, {len(found)} differences")
    return 1 if found or not after else 0


if __name__ == "__main__":
    sys.exit(main())
