"""Write configuration.md, commands.md and verification.md, and the README's figures, anew (`make reference`)."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import jmespath

from operations.command_line import ENV, EXIT_CODES, VERBS
from stacks.config.environment import Config
from stacks.config.fields import Section, allowed, inner_section

DOCS = Path(__file__).resolve().parent.parent / "docs"
COSTS = tomllib.loads(Path(__file__).with_name("configuration_costs.toml").read_text(encoding="utf-8"))
ENVIRONMENTS = ("local", "dev", "prod")
RESULTS = DOCS / "benchmarks" / "results.toml"
_FIGURE = re.compile(r"(<!-- figure (\w+) -->).*?(<!-- end -->)", re.DOTALL)
GENERATED = "Written by `make reference` from the code; a test keeps it current."


def configuration(environments: dict[str, Any]) -> str:
    """Return the page of every key: what is allowed, its default, what `cdk.json` says, what it is for and costs."""
    return _render(
        "configuration.md.jinja",
        sections=sections(Config),
        rows=lambda path, section: rows(path, section, environments),
    )


def sections(kind: type[Section], path: str = "") -> Iterator[tuple[str, type[Section]]]:
    """Yield a block and its inner blocks, each with the start of its keys."""
    yield path, kind
    for name, field in kind.model_fields.items():
        if inner := inner_section(field):
            yield from sections(inner, f"{path}{name}.")


def rows(path: str, section: type[Section], environments: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the row of each plain value of a block."""
    for name, field in section.model_fields.items():
        if inner_section(field) or path + name == "env":
            continue
        values = {env: jmespath.search(path + name, environments[env]) for env in ENVIRONMENTS}
        given = {env: value for env, value in values.items() if value is not None}
        same = len(given) == len(ENVIRONMENTS) and len({json.dumps(value) for value in given.values()}) == 1
        shown = _code(next(iter(given.values()))) if same else ", ".join(f"{e} {_code(v)}" for e, v in given.items())
        default = "required" if field.is_required() else _code(field.get_default(call_default_factory=True))
        meaning = " ".join((field.description or "").split())
        cost = f" **Cost:** {COSTS[path + name]}" if path + name in COSTS else ""
        yield f"`{path}{name}`", allowed(field), default, shown, meaning + cost


def _code(value: object) -> str:
    text = json.dumps(list(value) if isinstance(value, tuple) else value)
    return "empty" if text in ('""', "[]", "{}") else f"`{text}`"


def commands(makefile: str) -> str:
    """Return the page of every make target, and of every verb and option behind them."""
    targets = re.findall(r"^([a-z-]+):.*?## (.*)$", makefile, re.MULTILINE)
    return _render("commands.md.jinja", targets=targets, verbs=VERBS, env=ENV, exit_codes=EXIT_CODES)


def results() -> list[dict[str, Any]]:
    """Return the areas of `results.toml`; figures of the serving benchmark are computed from its newest result."""
    serving = json.loads(max(RESULTS.parent.glob("serving-*.json")).read_text(encoding="utf-8"))
    text = jinja2.Template(RESULTS.read_text(encoding="utf-8")).render(serving=serving)
    areas: list[dict[str, Any]] = tomllib.loads(text)["area"]
    for number, one in enumerate((one for area in areas for one in area["result"] if "note" in one), start=1):
        one["number"] = number
    return areas


def with_figures(text: str) -> str:
    """Return a page with the figures that it has marked by their names."""
    short = {one["name"]: one["short"] for area in results() for one in area["result"] if "name" in one}
    return _FIGURE.sub(lambda found: f"{found[1]}{short[found[2]]}{found[3]}", text)


def _render(template: str, **values: Any) -> str:
    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=folder, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.filters["cell"] = lambda text: text.replace("|", "\\|")
    return environment.get_template(template).render(generated=GENERATED, **values)


def pages() -> dict[Path, str]:
    """Return what each generated page has to hold."""
    root = DOCS.parent
    context = json.loads((root / "cdk.json").read_text(encoding="utf-8"))["context"]
    readme = (root / "README.md").read_text(encoding="utf-8")
    return {
        root / "README.md": with_figures(readme),
        DOCS / "verification.md": _render("verification.md.jinja", areas=results()),
        DOCS / "configuration.md": configuration(context["environments"]),
        DOCS / "commands.md": commands((root / "Makefile").read_text(encoding="utf-8")),
    }


def main() -> int:
    """Write the pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {len(text.splitlines())} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
