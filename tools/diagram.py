"""Draw what is deployed: the resources of the synthesised templates, and what each refers to or may use.

`make synth` writes docs/images/stacks.svg from the templates of `dev`. A test compares the two.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import jinja2

from tools.setup import ROOT, VENV

FILE = ROOT / "docs" / "images" / "stacks.svg"
PREFIX = "text-classifier-dev"
Place = tuple[str, str]
"""A stack, and the logical id of a resource in it; all alarms of a stack are one."""
_SETTINGS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_RENDER = (
    'import("@viz-js/viz").then(async (m) => console.log((await m.instance()).renderString({}, {{format:"svg"}})))'
)


def graph(templates: dict[str, Any]) -> tuple[dict[Place, list[str]], list[tuple[Place, Place]]]:
    """Return the lines of text in each resource that is drawn, and which of them refers to which.

    `templates`: by the name of the stack.
    """
    resources = {(stack, key): one for stack, text in templates.items() for key, one in text["Resources"].items()}
    nodes: dict[Place, list[str]] = {}
    at = {place: place for place in resources}  # where each is drawn
    known: dict[str, Place] = {}  # by an export or a name
    for (stack, key), one in resources.items():
        kind, named, arn = _SETTINGS["drawn"].get(one["Type"], ("", "", ""))
        if kind and not re.match(_SETTINGS["not_drawn"], key):
            place = at[stack, key] = (stack, kind if kind == "alarms" else key)
            name = one["Properties"].get(named, "")
            known |= {arn.format(name): place} if arn else {}
            short = key.partition("Bucket")[0].lower() if kind == "bucket" else name.removeprefix(PREFIX).strip("-")
            nodes[place] = [short, kind] if short else [kind]
    outputs = [(stack, one) for stack, text in templates.items() for one in text.get("Outputs", {}).values()]
    known |= {one["Export"]["Name"]: _named(stack, one["Value"], at)[0] for stack, one in outputs if "Export" in one}

    direct: dict[Place, set[Place]] = defaultdict(set)
    for place, one in resources.items():
        properties = one.get("Properties", {})
        found = {target for name, target in known.items() if name in json.dumps(properties)}
        for owner in _named(place[0], properties.get(_SETTINGS["owners"].get(one["Type"])), at) or [at[place]]:
            direct[owner] |= {*found, *_named(place[0], properties, at)}
    # As Warshall's algorithm does it: what is not drawn hands its references on.
    for hidden in direct.keys() - nodes.keys():
        for targets in direct.values():
            targets |= direct[hidden] if hidden in targets else set()
    return nodes, sorted((place, target) for place in nodes for target in direct[place] & nodes.keys() - {place})


def _named(stack: str, part: Any, at: dict[Place, Place]) -> list[Place]:
    """Return the resources whose logical ids a part of a template names."""
    return [at[stack, word] for word in re.findall(r'"(\w+)"', json.dumps(part)) if (stack, word) in at]


def draw(templates: dict[str, Any]) -> str:
    """Return the picture of an environment's templates, for a light and a dark page."""
    nodes, edges = graph(templates)
    dot = jinja2.Template(Path(__file__).with_suffix(".dot.jinja").read_text()).render(nodes=nodes, edges=edges)
    command = [str(VENV / "bin" / "node"), "-e", _RENDER.format(json.dumps(dot))]
    svg = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    # Comments and titles are generated ids.
    svg = re.sub(r"<!--.*?-->\n|<title>.*?</title>\n", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    return svg.replace(">", f">\n<style>\n{Path(__file__).with_suffix('.css').read_text()}</style>", 1)


if __name__ == "__main__":
    files = {one.name.split(".")[0].split("-")[-1]: one for one in Path(sys.argv[1]).glob(f"{PREFIX}-*.template.json")}
    FILE.write_text(draw({stack: json.loads(one.read_text()) for stack, one in sorted(files.items())}))
