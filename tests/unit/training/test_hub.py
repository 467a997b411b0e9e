"""Publishing a model folder with the Hub's own client, against a Hub that is a server on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from classifier.artifact import hub
from classifier.errors import JobError
from classifier.job.interruption import StopRequest
from classifier.job.processes import Processes
from fake_hub import TOKEN, FakeHub, Repository, running_hub
from sample_evaluation import GATE, sample_evaluation
from train import run

LABELS = ("no", "yes")
CARD = f"---\nlabels: {json.dumps(LABELS)}\n---\n".encode()
OURS = {"README.md": CARD, "config.json": b"{}"}
PUBLISHED = {
    *("README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
    *("onnx/model_int8.onnx", "onnx/model_int8.onnx.data"),
}
STAYS = {
    *("evaluation.json", "test_rows.jsonl", "suspects.csv", "manifest.json", "code/inference.py", "training_args.bin"),
    *("checkpoint-5/model.safetensors", "code/vendor/cp312/onnxruntime/config.json", "onnx/rows.json", "optimizer.pt"),
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A running Hub, which the client asks, and whose token the environment holds."""
    with running_hub(monkeypatch) as running:
        yield running


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder as a training job leaves it, with everything in it that must not leave."""
    for name in PUBLISHED | STAYS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"of {name}")
    (tmp_path / "evaluation.json").write_text(json.dumps(sample_evaluation(*LABELS)))
    return tmp_path


def publish(model: Path, repo: str = "owner/name", *, public: bool = False, **options: Any) -> str:
    """Publish as `make publish` does, without options as the training job."""
    api, _, there = hub.look(repo, public=public)
    files = hub.prepare(api, repo, there, model, **options)
    return hub.send(api, repo, there, files, "Model version 3", public=public)


def refused(model: Path, server: FakeHub, repo: str = "owner/name", **options: Any) -> JobError:
    """The error of a publication that ends before anything was sent."""
    with pytest.raises(JobError) as caught:
        publish(model, repo, **options)
    assert server.changes == [] and TOKEN not in str(caught.value)
    return caught.value


def test_what_transformers_needs_leaves_and_nothing_else(model: Path, server: FakeHub) -> None:
    """In one commit, into a new private repository; no rows, suspects, records, code or checkpoints."""
    address = publish(model)
    made = server.repositories["owner/name"]
    assert made.files.keys() == PUBLISHED and made.private
    assert len(made.commits) == 2 and address.endswith(f"/commit/{made.newest}")
    assert made.files["model.safetensors"] == b"of model.safetensors"
    assert b'model="owner/name")' in made.files["README.md"]


def test_the_archives_own_card_is_not_what_is_published(model: Path, server: FakeHub) -> None:
    """It says where it lies, licence and language as the base model's card does, and the gate's figures."""
    base = b"---\nlicense: mit\nlanguage: [en, de]\n---\n"
    server.repositories["maker/base"] = Repository(private=False, files={"README.md": base})
    publish(model, version="3", gate=GATE, language="en")
    card = server.repositories["owner/name"].files["README.md"].decode()
    assert '\nlicense: "mit"\n' in card and '\nlanguage: "en"\n' in card and "test, as served" in card
    assert (model / "README.md").read_text() == "of README.md"
    assert any("maker/base/revision/0a1b" in one for one in server.asked)


def test_publishing_again_replaces_the_model_and_removes_what_is_left(model: Path, server: FakeHub) -> None:
    """Also what earlier versions of this project published; the next commit is on top of the one that was seen."""
    server.repositories["owner/name"] = there = Repository(private=True, files={**OURS, "code/inference.py": b"old"})
    publish(model)
    assert there.files.keys() == PUBLISHED and len(there.commits) == 2
    publish(model)
    assert there.files.keys() == PUBLISHED


def test_without_a_token_nothing_is_asked(model: Path, server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which variable to set, and which command makes the file."""
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/no/such/file")
    error = refused(model, server)
    assert "no token" in error.message and "HF_TOKEN" in error.hint and "hf auth login" in error.hint
    assert server.asked == []


def test_the_file_of_a_login_is_a_token(
    model: Path, server: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the variable is not set."""
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    publish(model)
    assert server.repositories["owner/name"].files.keys() == PUBLISHED


def of_token(role: str, *scoped: tuple[str, str]) -> dict[str, Any]:
    """A token's part of `whoami`: its role, and names with a permission each."""
    entities = [{"entity": {"type": "user", "name": name}, "permissions": [right]} for name, right in scoped]
    return {"accessToken": {"role": role, "fineGrained": {"scoped": entities}}}


@pytest.mark.parametrize(
    ("repo", "auth", "places"),
    [
        ("owner/name", of_token("read"), "nothing"),
        ("owner/name", of_token("fineGrained"), "nothing"),
        ("owner/name", {"accessToken": {"role": "fineGrained"}}, "nothing"),
        ("owner/name", of_token("fineGrained", ("owner", "repo.content.read")), "nothing"),
        ("owner/name", of_token("fineGrained", ("owner/other", "repo.write")), "owner/other"),
        ("others/name", of_token("write"), "owner, team"),
        ("somebody/name", {}, "owner, team"),
        ("name", of_token("write"), "owner, team"),
        ("owner", of_token("write"), "owner, team"),
        ("", of_token("write"), "owner, team"),
    ],
)
def test_a_token_that_may_not_write_there_is_refused_first(
    model: Path, server: FakeHub, repo: str, auth: dict[str, Any], places: str
) -> None:
    """By what `whoami` tells of it; the error says to whom it belongs and where it may write."""
    server.account["auth"] = auth
    error = refused(model, server, repo)
    assert f"owner's token may not write to '{repo}'. It may write to: {places}." == error.message
    assert "settings/tokens" in error.hint and server.asked == ["GET /api/whoami-v2"]


@pytest.mark.parametrize(
    ("repo", "auth"),
    [
        ("team/name", of_token("write")),
        ("owner/name", of_token("fineGrained", ("owner", "repo.write"))),
        ("owner/name", of_token("fineGrained", ("owner/name", "repo.write"))),
        ("company/name", of_token("fineGrained", ("company", "repo.write"))),
        ("owner/name", {"type": "oauth"}),
    ],
)
def test_a_token_that_may_write_there_is_taken(model: Path, server: FakeHub, repo: str, auth: dict[str, Any]) -> None:
    """One for all that a person may, one for chosen places, and kinds that nobody knows yet."""
    server.account["auth"] = auth
    publish(model, repo)
    assert server.repositories[repo].files


@pytest.mark.parametrize("public", [True, False])
def test_a_repository_of_another_visibility_is_refused(model: Path, server: FakeHub, public: bool) -> None:
    """One that is public is not published to by mistake, and one that is private is not taken for public."""
    server.repositories["owner/name"] = Repository(private=public)
    error = refused(model, server, public=public)
    assert f"exists and is {'private' if public else 'public'}" in error.message and "PUBLIC=1" in error.hint


def test_a_public_repository_is_made_and_replaced_where_asked(model: Path, server: FakeHub) -> None:
    """With `public`."""
    publish(model, public=True)
    assert not server.repositories["owner/name"].private
    publish(model, public=True)


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": b"notes", "thesis.pdf": b"x"},
        {"README.md": b"---\nlabels: [spam, ham]\n---\n", "config.json": b"{}"},
    ],
)
def test_another_models_repository_is_not_replaced_by_mistake(
    model: Path, server: FakeHub, files: dict[str, bytes]
) -> None:
    """One with other labels, or with what this project did not publish; asked for, all of it is replaced."""
    server.repositories["owner/name"] = there = Repository(private=True, files=files)
    error = refused(model, server)
    assert "another model, or other files" in error.message and "OVERWRITE=1" in error.hint
    publish(model, overwrite=True)
    assert there.files.keys() == PUBLISHED and len(there.commits) == 2


@pytest.mark.parametrize(
    ("part", "status", "said", "hint"),
    [
        ("whoami", 401, "does not accept the token", "valid token"),
        ("whoami", 429, "too many requests", "Wait"),
        ("whoami", 0, "could not do that", "network"),
        ("api/models", 403, "does not let this token", "write access"),
        ("create", 403, "does not let this token", "write access"),
        ("create", 409, "could not do that", "Mend"),
        ("commit", 500, "could not do that", "Mend"),
        ("commit", 412, "newer commit", "repeat"),
        ("commit", 0, "could not do that", "network"),
        ("/lfs/", 403, "does not let this token", "write access"),
        ("preupload", 404, "could not do that", "Mend"),
    ],
)
def test_a_refusal_says_what_to_do_and_what_the_hub_holds(
    model: Path, server: FakeHub, part: str, status: int, said: str, hint: str
) -> None:
    """Whatever the Hub answers, or does not: a person learns the next step, and that nothing is there by half."""
    server.refusals[part] = status
    with pytest.raises(JobError) as caught:
        publish(model)
    assert said in caught.value.message and hint in caught.value.hint and TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)
    made = server.repositories.get("owner/name")
    assert (made is not None) == ("was made, and stays" in caught.value.message)
    assert made is None or made.files == {}
    assert ("a commit arrives whole or not" in caught.value.message) == bool(server.changes)


def test_a_commit_that_came_in_between_is_not_covered(model: Path, server: FakeHub) -> None:
    """Somebody's commit after the look: the Hub refuses ours, and theirs stays."""
    server.repositories["owner/name"] = there = Repository(private=True, files=OURS)
    api, _, found = hub.look("owner/name")
    theirs = there.commit({**OURS, "notes.md": b"theirs"})
    with pytest.raises(JobError, match=re.escape("newer commit in owner/name")):
        hub.send(api, "owner/name", found, hub.prepare(api, "owner/name", found, model), "ours")
    assert there.newest == theirs


def test_a_folder_without_a_model_is_refused(tmp_path: Path, server: FakeHub) -> None:
    """A mistyped folder is not published."""
    assert "holds no model (no config.json)" in refused(tmp_path, server).message


def test_a_training_that_could_not_publish_ends_before_it_begins(
    server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that may only read is said before the data are read, not after hours of training."""
    server.account["auth"] = of_token("read")
    (tmp_path / "data").mkdir()
    argv = ["--train", str(tmp_path / "data"), "--model-dir", str(tmp_path / "model"), "--hub_repo_id=owner/name"]
    with pytest.raises(JobError, match="owner's token may not write to 'owner/name'"):
        run(argv, {}, StopRequest(), Processes())
