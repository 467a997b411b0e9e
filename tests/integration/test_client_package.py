"""What would be published on PyPI: `make client` builds it, and both of its forms install and score."""

from __future__ import annotations

import email
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from contract_api import ContractApi, prediction
from installed_client import install

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
FORMS = ("*.whl", "*.tar.gz")
CONSUMER = """
from collections.abc import Iterator

from text_classifier import Client, Outcome, Prediction, RetryPolicy


def labels(url: str, texts: list[str]) -> Iterator[str]:
    with Client(url, retry=RetryPolicy(seconds=1)) as client:
        first: Prediction = client.score(texts[0])
        yield first.label
        outcomes: Iterator[Outcome] = client.score_all(texts, top_k="all")
        yield from (one.label if isinstance(one, Prediction) else one.code for one in outcomes)
"""


class Built:
    """The result of `make client`.

    Attributes:
        ran: arguments of `make`, once it has ended with 0.
        folder: copy of what it made.
        printed: what it said.
    """

    def __init__(self, folder: Path) -> None:
        variables = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
        done = subprocess.run(["make", "client"], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        self.ran, self.printed, self.folder = [("client",)], done.stdout + done.stderr, folder
        self._installed: dict[str, Path] = {}
        for file in (ROOT / "build" / "client").glob("text_classifier_client-*"):
            (folder / file.name).write_bytes(file.read_bytes())

    def one(self, form: str) -> Path:
        """The only file of this form."""
        (found,) = self.folder.glob(form)
        return found

    def installed(self, form: str) -> Path:
        """The `bin` folder of an environment that has this form of the package, and sees nothing of this folder."""
        if form not in self._installed:
            own = self.folder.with_name(f"{self.folder.name}-{form.rpartition('.')[2]}")
            own.mkdir()
            self._installed[form] = install(self.one(form), own)
        return self._installed[form]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Made once for all tests of this file."""
    return Built(tmp_path_factory.mktemp("built"))


@pytest.mark.proves("make client")
def test_twine_finds_nothing_to_warn_of(built: Built) -> None:
    """Both forms, with `--strict`; nothing is left in the package's own folder."""
    assert built.printed.count("PASSED") == len(FORMS) == len(list(built.folder.iterdir()))
    assert not list((ROOT / "client").glob("*.egg-info"))


def test_both_forms_hold_the_whole_package(built: Built) -> None:
    """The reader that is a link here, the mark of types and the licence are files in both; the wheel has no tests."""
    with zipfile.ZipFile(built.one("*.whl")) as wheel, tarfile.open(built.one("*.tar.gz")) as sdist:
        in_wheel = {name: wheel.read(name) for name in wheel.namelist()}
        members = [member for member in sdist.getmembers() if not member.isdir()]
        assert all(member.isfile() for member in members)
        in_sdist = {member.name.partition("/")[2] for member in members}
    modules = {path.relative_to(ROOT / "client").as_posix() for path in (ROOT / "client").glob("text_classifier/*.py")}
    reader = {f"text_classifier/reading/{path.name}" for path in (ROOT / "training_job" / "tables").glob("*.*")}
    wanted = {*modules, *reader, "text_classifier/py.typed"}
    assert len(reader) > 10 and wanted <= in_sdist >= {"LICENSE", "README.md", "pyproject.toml"}
    assert wanted == {name for name in in_wheel if ".dist-info/" not in name}
    (licence,) = (content for name, content in in_wheel.items() if name.endswith("licenses/LICENSE"))
    assert licence == (ROOT / "LICENSE").read_bytes()


def test_the_metadata_says_what_a_reader_of_pypi_looks_for(built: Built) -> None:
    """Licence, author, types, every Python that the project takes, and the README as it is."""
    with zipfile.ZipFile(built.one("*.whl")) as wheel:
        (name,) = (one for one in wheel.namelist() if one.endswith("/METADATA"))
        said = email.message_from_string(wheel.read(name).decode())
    assert (said["Name"], said["License-Expression"], said["License-File"]) == (
        "text-classifier-client",
        "Apache-2.0",
        "LICENSE",
    )
    assert said["Author"] and said["Summary"] and said["Keywords"]
    classifiers = said.get_all("Classifier") or []
    assert "Typing :: Typed" in classifiers
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 15)} <= set(classifiers)
    readme = (ROOT / "client" / "README.md").read_text(encoding="utf-8")
    assert str(said.get_payload()).strip() == readme.strip()


@pytest.mark.parametrize("form", FORMS)
def test_each_form_installs_says_its_version_and_scores(built: Built, tmp_path: Path, form: str) -> None:
    """Texts, and a file whose delimiter the reader finds out."""
    installed = built.installed(form)
    command = installed / "text-classifier"
    (tmp_path / "in.csv").write_text("id;review\n1;a text\n", encoding="utf-8")

    def said(*words: str) -> str:
        done = subprocess.run([command, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert said("--version") == "text-classifier 0.1.0\n"
    with ContractApi() as api:
        assert said("score", "--url", api.url, "a text").startswith(prediction("a text")["label"])
        assert said("score", "--url", api.url, "--file", "in.csv").splitlines()[1].startswith("1;a text;")
    where = "import text_classifier; print(text_classifier.__file__)"
    found = subprocess.run([installed / "python", "-c", where], cwd=tmp_path, capture_output=True, text=True).stdout
    assert found.startswith(str(installed.parent))


def test_mypy_strict_reads_the_types_of_the_wheel(built: Built, tmp_path: Path) -> None:
    """A program that uses the wheel is checked against its types: right calls pass, a wrong one does not."""
    (tmp_path / "right.py").write_text(CONSUMER)
    (tmp_path / "wrong.py").write_text(f"{CONSUMER}\nClient('http://localhost').score(5).lable\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", built.installed("*.whl") / "python"]
    command += ["--cache-dir", tmp_path / "cache", "right.py", "wrong.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert [line.partition(":")[0] for line in errors] == ["wrong.py", "wrong.py"], done.stdout
    assert sorted(line.rpartition("  ")[2] for line in errors) == ["[arg-type]", "[attr-defined]"]
