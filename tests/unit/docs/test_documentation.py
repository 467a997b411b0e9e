"""The documentation names every target, option, setting and variable that exists, and none that doesn't."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from classifier.job.hyperparameters import fields
from documented_commands import FENCE, MARK, NOT_HERE, REASONS, Page, pages, target
from documented_commands import page as page_of
from local.sagemaker.common.settings import ImageRule
from operations.command_line import VERBS
from stacks.config.environment import Config
from stacks.config.fields import dotted_names
from tools import reference
from tools.code_pages import line_of

ROOT = Path(__file__).resolve().parents[3]
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
PAGES = [name for name in TRACKED if name.endswith(".md") and not name.startswith("docs/benchmarks/")]
CODE = [name for name in TRACKED if name.endswith(".py") and not name.startswith("tests/")]
TEXT = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}
TARGETS = set(re.findall(r"^([a-z-]+):.*?## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")


GENERATED = ("README.md", "docs/configuration.md", "docs/commands.md", "docs/verification.md")


@pytest.mark.parametrize("page", GENERATED)
def test_a_generated_page_is_current(page: str) -> None:
    """`make reference` would change nothing; of README.md it writes the figures."""
    assert TEXT[page] == reference.pages()[ROOT / page]


def test_every_result_has_a_day_and_a_command_that_exists() -> None:
    """A figure without a date or a way to repeat it is none; a benchmark that is gone is named as past."""
    wrong = []
    for one in (one for area in reference.results() for one in area["result"]):
        missing = [command for command in one.get("commands", ()) if not exists(command)]
        dated = date.fromisoformat(one["date"]) <= date.today()
        if missing or not dated or not one["claim"] or not one["figure"] or ("commands" in one) == ("past" in one):
            wrong.append((one["claim"], missing))
    assert wrong == []
    assert not exists("make unknown") and not exists("python benchmarks/none.py --all") and not exists("tests/none.py")


def exists(command: str) -> bool:
    """Whether the project has a target of make, a script, or a file of tests."""
    return target(command) in TARGETS or command.removeprefix("python ").split()[0] in TRACKED


def test_every_marked_figure_is_a_result() -> None:
    """README.md has such figures; a name that no result has is an error, and not an old figure that stays."""
    assert len(re.findall(r"<!-- figure \w+ -->", TEXT["README.md"])) >= 5
    assert reference.with_figures("<!-- figure up -->old<!-- end -->, 2") != "<!-- figure up -->old<!-- end -->, 2"
    with pytest.raises(KeyError):
        reference.with_figures("<!-- figure none -->old<!-- end -->")


def test_every_make_command_in_a_document_exists() -> None:
    """No page names a target that the Makefile lacks."""
    named = {(page, target) for page, text in TEXT.items() for target in re.findall(r"`make ([a-z-]+)", text)} | {
        (page, target) for page, text in TEXT.items() for target in re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)
    }
    assert {(page, target) for page, target in named if target not in TARGETS} == set()


def test_a_mark_names_a_command_of_its_page_and_a_known_reason() -> None:
    """All other commands are run (tests/e2e/test_documented_commands.py)."""
    for found in pages():
        assert len(MARK.findall(TEXT[found.name])) == TEXT[found.name].count("<!-- not run"), found.name
        assert set(found.marked) <= found.shown, found.name
        assert set(found.marked.values()) <= REASONS.keys(), found.name


def test_a_command_without_a_mark_has_to_be_run() -> None:
    """A block, its lines, its mark; commands in backticks, forms of commands, and those for AWS."""
    text = """
Type `make up`, `make logs ENV=<env>`, `make train DATA=…` or `X=1 python -m it
--help`; `make wait` <!-- not run, takes long: `make wait` -->
```bash
make setup
cut -d, -f1 file
```
```bash aws
cdk deploy --all
```
"""
    found = page_of("a.md", text)
    assert found.commands == {"make up", "X=1 python -m it --help", "make setup", "cut -d, -f1 file"}
    assert found.marked == {"make wait": "takes long", "cdk deploy --all": "needs AWS"}
    assert page_of("a.md", "`make up` <!-- not run, no reason: `make down` -->").marked == {"make down": "no reason"}


def must_not_run(shown: list[Page]) -> set[str]:
    """Of the commands that some test has to run, those that no page's test may run and no other test proves.

    They are the targets of NOT_HERE, and those that the page of all commands marks, with whatever variables.
    """
    (every,) = (found for found in pages() if found.name == "docs/commands.md")
    forbidden = NOT_HERE | {target(command) for command in every.marked}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    calls = (node for text in sources if "mark.proves(" in text for node in ast.walk(ast.parse(text)))
    marks = [call for call in calls if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.proves"]
    proven = {ast.literal_eval(argument) for mark in marks for argument in mark.args}
    return {command for each in shown for command in each.commands if target(command) in forbidden} - proven


def test_a_command_that_no_test_may_run_has_its_mark_or_its_proof() -> None:
    """It is noticed here, and not when it has run for minutes, asked the world or removed what runs the tests."""
    assert must_not_run(pages()) == set()
    wrong = "`make audit`, `A=1 make test-nightly PART=fuzz`, `make status` and `make up` with `make lock`"
    assert must_not_run([page_of("a.md", f"{wrong} <!-- not run, changes the lock: `make lock` -->")]) == {
        "make audit",
        "A=1 make test-nightly PART=fuzz",
    }


def test_the_readmes_aws_blocks_deploy_one_environment_and_ask_nothing() -> None:
    """Pasted whole: `dev` is checked, deployed once and checked again; no line is the answer to a question of cdk."""
    blocks = [body for _, mark, body in FENCE.findall(TEXT["README.md"]) if mark.strip() == "aws"]
    deploys = [words for body in blocks for words in re.split(r"&&|\n", body) if "cdk deploy" in words]
    assert [words.strip() for words in deploys] == ["cdk deploy --all --require-approval never"]
    assert all("prod" not in body and "-c " not in body and "<" not in body for body in blocks)
    assert json.loads((ROOT / "cdk.json").read_text())["context"].get("env", "dev") == "dev"


def test_every_setting_in_a_document_exists() -> None:
    """A `section.key` that a page names is one of the configuration's."""
    known = set(dotted_names(Config))
    sections = {name.split(".")[0] for name in known if "." in name}
    found = {
        (page, name)
        for page, text in TEXT.items()
        for name in re.findall(r"(?:`|-c |CONTEXT=\")([a-z_]+(?:\.[a-z_]+)+)(?==|`)", text)
        if name.split(".")[0] in sections and not name.endswith((".json", ".md", ".py", ".com"))
    }
    assert {
        (page, name) for page, name in found if name not in known and not any(k.startswith(name) for k in known)
    } == set()


def test_every_setting_is_documented() -> None:
    """Each key stands in the page of the configuration."""
    page = TEXT["docs/configuration.md"]
    assert [name for name in dotted_names(Config) if f"`{name}`" not in page and name != "env"] == []


def test_every_cost_is_that_of_a_setting() -> None:
    """A renamed setting takes its cost along, and the settings that AWS charges for have one."""
    assert reference.COSTS.keys() <= set(dotted_names(Config))
    assert {
        "own_key",
        "api.waf",
        "training.instance_type",
        "serving.provisioned_concurrency.min",
    } <= reference.COSTS.keys()


def test_every_verb_and_option_is_documented() -> None:
    """Each verb has its section, each option its row."""
    page = TEXT["docs/commands.md"]
    for name, verb in VERBS.items():
        section = page.split(f"\n### {name}\n")[1].split("\n### ")[0]
        assert all(f"`{option.name}`" in section for option in verb.options), name


def test_every_hyperparameter_is_documented() -> None:
    """Each hyperparameter has its row, and a page names no other."""
    page = TEXT["docs/execution-input.md"]
    assert [name for name in fields() if f"| `{name}` |" not in page] == []


def test_every_variable_that_the_code_reads_is_documented() -> None:
    """A variable that the code reads or sets in an environment stands on some page."""
    read = set()
    for name in CODE:
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if re.search(r"environ|required\(|flag\(", line):
                read |= set(re.findall(r"\"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\"", line))
    pages = " ".join(TEXT.values())
    assert sorted(name for name in read if not re.search(rf"\b{name}\b", pages)) == []


def test_every_documented_variable_exists() -> None:
    """The page of the variables names none that neither the code nor the Makefile knows."""
    sources = " ".join((ROOT / name).read_text(encoding="utf-8") for name in [*CODE, "Makefile"])
    fields_of_settings = {word.upper() for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", sources)}
    named = set(VARIABLE.findall(TEXT["docs/environment-variables.md"]))
    assert sorted(name for name in named if name not in sources and name not in fields_of_settings) == []


def test_every_relative_link_leads_somewhere() -> None:
    """The file of a link is there; `make docs` fails if the heading that it names is not."""
    broken: list[str] = []
    for page, text in TEXT.items():
        targets = re.findall(r"\]\(([^)#\s]*)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        files = {target: (ROOT / page).parent / target for target in targets if target and "://" not in target}
        broken += [f"{page}: {target}" for target, file in files.items() if not file.exists()]
    assert broken == []


def test_what_a_link_to_the_code_names_is_there() -> None:
    """A link to a file of the code says its name, or that of a function, class, constant or state in it."""
    links = {
        (page, name, target)
        for page, text in TEXT.items()
        for name, target in re.findall(r"\[`([^`]+)`\]\(([^):#]+\.(?:py|yaml|json|toml))\)", text)
    }
    wrong = [
        f"{page}: {name} in {target}"
        for page, name, target in links
        if name != Path(target).name and not line_of(name, ((ROOT / page).parent / target).read_text())
    ]
    assert wrong == []
    assert len(links) > 60
    assert line_of("Breaker", "class Breakers:\n    pass\n") == 0


def test_an_address_of_another_host_is_written_whole() -> None:
    """No page is fetched here: whether it is still there, only a person with a network can say."""
    links = {(page, link) for page, text in TEXT.items() for link in re.findall(r"\]\((\w+:[^)\s]*)\)", text)}
    parts = {(page, link): urlsplit(link) for page, link in links}
    assert [key for key, one in parts.items() if one.scheme != "https" or "." not in one.netloc] == []


def test_the_documented_image_map_is_one() -> None:
    """The local cloud reads the example of its page, for a project that is not this one."""
    (example,) = re.findall(r"^```json\n(.*?)^```", TEXT["docs/local-cloud.md"], re.MULTILINE | re.DOTALL)
    rules = [ImageRule(**entry) for entry in json.loads(example)]
    assert [rule.kind for rule in rules] == ["training", "serving"]
    assert {name for rule in rules for name in vars(rule)} == set(
        re.findall(r"^\| `(\w+)` \|", TEXT["docs/local-cloud.md"], re.MULTILINE)
    )


def test_the_environments_of_the_page_are_those_of_the_configuration() -> None:
    """The page shows the values of every block of cdk.json."""
    blocks = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"]
    assert set(blocks) == set(reference.ENVIRONMENTS)


def test_every_file_that_a_guide_names_exists() -> None:
    """Paths in backticks on the pages that lead through the code are files or folders."""
    guides = ("docs/how-it-works.md", "docs/extending.md", "docs/tutorial.md", "docs/local-cloud.md")
    named = {(page, path) for page in guides for path in re.findall(r"`((?:\w+/)+[\w.-]*)`", TEXT[page])}
    made = (".local/", "build/", "code/", "source/")
    assert [key for key in named if not key[1].startswith(made) and not (ROOT / key[1]).exists()] == []
    assert len(named) > 10
