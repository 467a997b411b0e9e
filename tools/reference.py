"""Write `docs/configuration.md` and `docs/commands.md` anew from the code (`make reference`)."""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from operations.command_line import ENV, EXIT_CODES, VERBS, Option
from stacks.config.environment import Config
from stacks.config.fields import Section, allowed, inner_section

DOCS = Path(__file__).resolve().parent.parent / "docs"
ENVIRONMENTS = ("local", "dev", "prod")
_GENERATED = "Written by `make reference` from the code; a test keeps it current.\n"
_NOT_RUN = "<!-- not run, changes the lock: `make lock` -->\n<!-- not run, needs Java: `make benchmark-serving` -->\n"


def table(*rows: Iterable[str]) -> str:
    """Return a Markdown table; the first row is its head."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in map(list, rows)]
    lines.insert(1, "|" + "---|" * lines[0].count(" | ") + "---|")
    return "\n".join(lines) + "\n"


def configuration(environments: dict[str, Any]) -> str:
    """Return the page of every key: what is allowed, its default, what `cdk.json` says, and what it is for."""
    text = (
        f"# Configuration\n\n{_GENERATED}\n"
        "`cdk.json` holds one block for each environment; `-c env=prod` chooses one, and the default is `dev`.\n"
        "`-c section.key=value` sets one value for one command, such as `-c training.instance_type=ml.m5.xlarge`.\n"
        "A key that does not exist is refused with the nearest one that does.\n"
    )
    for path, section in sections(Config):
        title = path.rstrip(".") or "At the top of a block"
        text += f"\n## {title}\n\n{' '.join((section.__doc__ or '').split())}\n\n"
        text += table(
            ("key", "allowed", "default", "in cdk.json", "what it is for"), *rows(path, section, environments)
        )
    return text


def sections(kind: type[Section], path: str = "") -> Iterator[tuple[str, type[Section]]]:
    """Yield a block and its inner blocks, each with the start of its keys."""
    yield path, kind
    for name, field in kind.model_fields.items():
        if inner := inner_section(field):
            yield from sections(inner, f"{path}{name}.")


def rows(path: str, section: type[Section], environments: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the row of each plain value of a block."""
    for name, field in section.model_fields.items():
        if inner_section(field) or f"{path}{name}" == "env":
            continue
        values = {env: _value(environments[env], f"{path}{name}") for env in ENVIRONMENTS}
        given = {env: value for env, value in values.items() if value is not None}
        same = len(given) == len(ENVIRONMENTS) and len({json.dumps(value) for value in given.values()}) == 1
        shown = _code(next(iter(given.values()))) if same else ", ".join(f"{e} {_code(v)}" for e, v in given.items())
        default = "required" if field.is_required() else _code(field.get_default(call_default_factory=True))
        meaning = " ".join((field.description or "").split())
        yield f"`{path}{name}`", allowed(field), default, shown, meaning


def _value(block: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        block = block.get(part) if isinstance(block, dict) else None
    return block


def _code(value: object) -> str:
    text = json.dumps(list(value) if isinstance(value, tuple) else value)
    return "empty" if text in ('""', "[]", "{}") else f"`{text}`"


def commands(makefile: str) -> str:
    """Return the page of every make target, and of every verb and option behind them."""
    targets = re.findall(r"^([a-z-]+):.*?## (.*)$", makefile, re.MULTILINE)
    text = f"# Commands\n\n{_GENERATED}\n" + table(
        ("command", "what it does, and its variables"), *((f"`make {name}`", does) for name, does in targets)
    )
    text += (
        "\n`ARGS=--help` explains a command, `ARGS=--json` prints its result for scripts.\n\n## Behind them\n\n"
        "`make` calls `.venv/bin/python -m operations <verb>`. Options win over variables of `make`.\n\n```\n"
        f"{EXIT_CODES}```\n\n{_NOT_RUN}"
    )
    for name, verb in VERBS.items():
        options = verb.options if verb.local else (*verb.options, ENV)
        text += f"\n### {name}\n\n{verb.summary[0].upper()}{verb.summary[1:]}.\n"
        if options:
            text += "\n" + table(("option", "what it is for", "variable of make"), *map(_option, options))
    return text


def _option(option: Option) -> tuple[str, str, str]:
    default = "" if option.default in (None, "") else f"; default {option.default}"
    return f"`{option.name}`", option.help + default, f"`{option.variable}`" if option.variable else ""


def pages() -> dict[Path, str]:
    """Return what each generated page has to hold."""
    root = DOCS.parent
    context = json.loads((root / "cdk.json").read_text(encoding="utf-8"))["context"]
    return {
        DOCS / "configuration.md": configuration(context["environments"]),
        DOCS / "commands.md": commands((root / "Makefile").read_text(encoding="utf-8")),
    }


def main() -> int:
    """Write the pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"docs/{path.name}: {len(text.splitlines())} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
