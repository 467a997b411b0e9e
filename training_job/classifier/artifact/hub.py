"""Publish a model to the Hugging Face Hub with the Hub's own client: what may leave, and to whose repository.

The token is the client's: `HF_TOKEN`, or the file of `hf auth login`. A hyperparameter would show it in every console.
Whatever token, repository or Hub do not allow is a JobError that says what is published then.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import httpx
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, ModelInfo, get_token

from classifier.artifact.package import EVALUATION_FILE, ONNX_FILE, model_card
from classifier.errors import JobError

Adds = list[Any]  # CommitOperationAdd, the card last
There = ModelInfo | None  # a repository as it was found; None where there is none yet
CARD = "README.md"
ALLOWED = (
    *("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "model.safetensors"),
    *("model.safetensors.index.json", "model-?????-of-?????.safetensors", ONNX_FILE, f"{ONNX_FILE}.data"),
)
"""All that is published besides the card: what transformers and onnxruntime load. No data, rows, records or code."""

_TOKENS = "https://huggingface.co/settings/tokens makes one."
_REFUSALS = {
    0: ("could not do that in {}", "Mend what it names. If nothing is reached: network, HF_ENDPOINT, HF_HUB_OFFLINE."),
    401: ("does not accept the token", f"Give a valid token with write access; {_TOKENS}"),
    403: ("does not let this token write to {}", f"Give a token with write access to it; {_TOKENS}"),
    412: ("has a newer commit in {}", "Look at the repository, and repeat."),
    429: ("has had too many requests", "Wait some minutes, and repeat: nothing is sent twice."),
}


def look(repo: str, *, public: bool = False) -> tuple[HfApi, str, There]:
    """Ask the Hub whether the token may write to `repo`; return the client, whose token it is, and what lies there."""
    if not (token := get_token()):
        hint = f"Set HF_TOKEN to one with write access, use hf auth login, or name a secret that holds one; {_TOKENS}"
        raise JobError("There is no token for the Hugging Face Hub.", hint=hint)
    api = HfApi(token=token)
    with _told(repo):
        _check_right(account := api.whoami(), repo)
        info = api.model_info(repo) if api.repo_exists(repo) else None
    if info and bool(info.private) == public:
        hint = "Publish with PUBLIC=1 to a public one, without to a private one, or name another repository."
        raise JobError(f"The repository {repo} exists and is {'private' if info.private else 'public'}.", hint=hint)
    return api, account["name"], info


def prepare(api: HfApi, repo: str, there: There, folder: Path, *, overwrite: bool = False, **published: Any) -> Adds:
    """Return the files of a model folder that may leave, by name, and the card with what is `published` (`model_card`).

    An empty `license` or `language` is taken from the base model's own card on the Hub. What lies there has to be a
    model with the same labels, by its card, unless `overwrite`.
    """
    if missing := [name for name in ("config.json", EVALUATION_FILE) if not (folder / name).is_file()]:
        raise JobError(f"{folder} holds no model (no {missing[0]}).")
    evaluation = json.loads((folder / EVALUATION_FILE).read_text(encoding="utf-8"))
    labels = getattr(there and there.card_data, "labels", None)
    if removed(there, []) and labels != evaluation["labels"] and not overwrite:
        hint = "Name another repository, or replace all that it holds: make publish with OVERWRITE=1."
        raise JobError(f"The repository {repo} holds another model, or other files.", hint=hint)
    with suppress(OSError, ValueError, KeyError, httpx.HTTPError):  # an earlier version did not note the base model
        base = evaluation["base_model"]
        stated = api.model_info(base["hub_id"], revision=base["revision"]).card_data
        published |= {key: published.get(key) or getattr(stated, key, None) for key in ("license", "language")}
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    names = [name for name in found if any(fnmatchcase(name, one) for one in ALLOWED)]
    card = CommitOperationAdd(CARD, model_card(evaluation, repo=repo, **published).encode())
    return [*(CommitOperationAdd(name, found[name]) for name in names), card]


def removed(there: There, files: Adds) -> list[str]:
    """Return what lies in a repository and is not among `files`, which replace it."""
    names = {one.rfilename for one in there.siblings or ()} if there else set()
    return sorted(names - {one.path_in_repo for one in files} - {".gitattributes", CARD})


def send(api: HfApi, repo: str, there: There, files: Adds, message: str, *, public: bool = False) -> str:
    """Replace all that the repository holds in one commit, and make it first if need be; return the commit's URL."""
    changes = [*files, *map(CommitOperationDelete, removed(there, files))]
    with _told(repo, "Nothing is half published: a commit arrives whole or not.") as notes:
        if there is None:
            api.create_repo(repo, private=not public)
            notes.append("The repository was made, and stays.")
            there = api.model_info(repo)
        # Not upload_folder: it makes several commits of a large folder.
        return api.create_commit(repo, changes, commit_message=message, parent_commit=there.sha).commit_url


def _check_right(account: dict[str, Any], repo: str) -> None:
    """Compare what the Hub tells of a token with the repository; other kinds of tokens are left to the Hub."""
    token = account.get("auth", {}).get("accessToken", {})
    writes = {one["name"] for one in account.get("orgs", ()) if one.get("roleInOrg") != "read"} | {account["name"]}
    if (role := token.get("role")) in ("read", "fineGrained"):
        scoped = token.get("fineGrained", {}).get("scoped", ()) if role == "fineGrained" else ()
        writes = {one.get("entity", {}).get("name", "") for one in scoped if "repo.write" in one.get("permissions", ())}
    if "/" not in repo or not writes & {repo, repo.split("/")[0]}:
        places = ", ".join(sorted(writes))
        hint = f"Name a repository there (owner/name), or give another token; {_TOKENS}"
        raise JobError(
            f"{account['name']}'s token may not write to '{repo}'. It may write to: {places or 'nothing'}.", hint=hint
        )


@contextmanager
def _told(repo: str, *notes: str) -> Iterator[list[str]]:
    """Turn what the Hub's client raises into what is wrong, these notes and those that are added, and a next step."""
    held = list(notes)
    try:
        yield held
    except (OSError, ValueError, RuntimeError, httpx.HTTPError) as e:
        cause = e.__cause__ if isinstance(e, RuntimeError) and e.__cause__ else e  # a file's upload in a thread
        status = getattr(getattr(cause, "response", None), "status_code", 0)
        does, hint = _REFUSALS.get(status, _REFUSALS[0])
        said = " ".join((getattr(cause, "server_message", None) or str(cause) or type(cause).__name__).split())
        raise JobError(" ".join([f"The Hub {does.format(repo)}: {said.rstrip('.')}.", *held]), hint=hint) from e
