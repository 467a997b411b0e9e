"""The set-up tool refuses what cannot work, in words, before it installs anything."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tools import setup


@pytest.mark.parametrize("version", [(3, 9), (3, 10), (3, 15)])
def test_an_unsupported_python_is_refused_with_what_is_allowed_and_how(version: tuple[int, int]) -> None:
    """Found version, allowed versions and the command that names another interpreter."""
    with pytest.raises(setup.SetupError) as caught:
        setup.check_machine(version, free_gb=100)
    message = str(caught.value)
    assert f"{version[0]}.{version[1]}" in message
    assert "3.11 to 3.14" in message
    assert "make PYTHON=" in message


def test_a_full_disk_is_refused_before_anything_is_written() -> None:
    """What is needed and what is free, in GB, and what to do."""
    with pytest.raises(setup.SetupError, match=r"needs \d\.\d GB in this folder; 1\.0 GB are free") as caught:
        setup.check_machine(sys.version_info[:2], free_gb=1.0)
    assert "Next step" in str(caught.value)


def test_this_python_is_accepted() -> None:
    """The interpreter that runs the tests is one that set-up takes."""
    setup.check_machine(sys.version_info[:2], free_gb=100)


def test_the_fingerprint_changes_with_the_interpreter() -> None:
    """Another Python version means another environment."""
    assert setup.fingerprint((3, 11)) != setup.fingerprint((3, 12))


def test_the_lock_has_a_hash_for_every_package() -> None:
    """Each entry is pinned exactly, once, and carries at least one SHA-256."""
    text = setup.LOCK.read_text()
    entries = setup.locked()
    assert len(entries) == len(re.findall(r"^[\w.-]+==", text, re.MULTILINE)) > 200
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries.values())


@pytest.mark.parametrize("file", setup.REQUIREMENTS)
def test_the_lock_holds_what_the_requirements_files_name(file: str) -> None:
    """Nothing is installed in another version, or without a hash."""
    assert setup.packages_of(file) <= set(setup.locked())
    pins = re.findall(r"^([\w.-]+)==([\w.]+)", (setup.ROOT / file).read_text(), re.MULTILINE)
    for name, version in pins:
        entry = setup.locked()[re.sub(r"[-_.]+", "-", name).lower()]
        assert re.match(r"[\w.-]+==([\w.]+)", entry)[1] == version  # type: ignore[index]


def test_the_cpu_build_of_torch_is_the_locked_version() -> None:
    """Both kinds of build that set-up takes have one version."""
    (cpu,) = re.findall(r"^torch==([\d.]+)\+cpu ", (setup.ROOT / setup.TORCH_CPU).read_text(), re.MULTILINE)
    assert setup.locked()["torch"].startswith(f"torch=={cpu} ")


def test_a_subset_of_the_lock_keeps_its_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The smaller environments are installed from the same entries."""
    monkeypatch.setattr(setup, "SCRATCH", tmp_path)
    text = setup.only({"requests", "idna"}).read_text()
    assert sorted(re.findall(r"^([\w-]+)==", text, re.MULTILINE)) == ["idna", "requests"]
    assert text.count("--hash=") >= 4


def test_a_step_makes_the_folder_of_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmarks' peer is installed this way too, when `.local` may be gone."""
    log = tmp_path / "logs" / "setup.log"
    monkeypatch.setattr(setup, "LOG", log)
    setup.run("a step", [sys.executable, "-c", "print('done')"])
    assert log.read_text().endswith("done\n")
