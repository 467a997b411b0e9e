"""No file of the repository holds a secret: detect-secrets reads all that git tracks."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from detect_secrets import SecretsCollection
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.settings import transient_settings

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
EXPLAINED = {
    "714eb0fa89d2f80546fda750413ed43d93601a13",  # the revision of the public hub model
    "true",  # whether a key is required
    "false",
    "HUB_TOKEN_SECRET",  # the name of a variable
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-token-Ab1Cd2",  # names a secret, in AWS's example account
    "eu-west-1:123456789012:secret:hub-token-Ab1Cd2",  # the same, in a TOML document
    "secret",  # words of tests
    "s3cret",
    "the-key",
    "k1",
    "hf_abc",
    "Hugging Face token",  # the name of a kind
}
"""What looks like a secret to detect-secrets and is none, and why."""
PNG = "iVBORw0KGgo"
"""How a picture begins in the outputs of a notebook."""
HASHES = ("requirements.lock", "benchmarks/stock/requirements.lock", "package-lock.json")
"""Written by uv and npm, and full of digests."""


def secrets(folder: Path, names: Iterable[str]) -> list[tuple[str, int, str]]:
    """File, line and kind of everything in these files that looks like a secret; never the secret itself."""
    own = {"name": "HubTokenDetector", "path": f"file://{ROOT / 'tests' / 'support' / 'hub_token_detector.py'}"}
    # The library looks for classes once, with the settings of that moment.
    with transient_settings({"plugins_used": [own]}):
        plugins = [{"name": one.__name__} for one in get_mapping_from_secret_type_to_class().values()]
    with transient_settings({"plugins_used": [one for one in plugins if one["name"] != own["name"]] + [own]}):
        found = SecretsCollection(root=str(folder))
        for name in names:
            found.scan_file(name)
        doubtful = [(name, one) for name, one in found if not (one.secret_value or "").startswith(PNG)]
        return sorted(
            {(name, one.line_number, one.type) for name, one in doubtful if one.secret_value not in EXPLAINED}
        )


def test_no_tracked_file_holds_a_secret() -> None:
    """Neither keys nor tokens nor passwords; what only looks like one is explained above."""
    names = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    read = [name for name in names if name not in HASHES and (ROOT / name).is_file()]
    assert len(read) > 500
    with ProcessPoolExecutor(2) as pool:
        assert [*pool.map(secrets, [ROOT, ROOT], [read[::2], read[1::2]])] == [[], []]


AWS_KEY = "AKIA" + "Z7Q4XJ2M" * 2
LONG = "wJq7" + "Xk2pLm9R" * 4 + "tB3z"
HUB_TOKEN = "hf_" + "aB3dE6gH9j" * 3 + "kLmN"


@pytest.mark.parametrize(
    ("name", "line", "kind"),
    [
        ("README.md", f"Use {AWS_KEY} for the first try.", "AWS Access Key"),
        ("operations/paths.py", f'AWS_ACCESS_KEY_ID = "{AWS_KEY}"', "AWS Access Key"),
        ("operations/paths.py", f'aws_secret_access_key = "{LONG}"', "AWS Access Key"),
        ("cdk.json", f'"hub": "{HUB_TOKEN}"', "Hugging Face token"),
        ("Makefile", f"export HF_TOKEN={HUB_TOKEN}", "Hugging Face token"),
        ("tests/unit/client/test_client.py", f"token: {HUB_TOKEN}", "Hugging Face token"),
        ("client/README.md", "-----BEGIN RSA " + "PRIVATE KEY-----", "Private Key"),
    ],
)
def test_a_planted_secret_is_found(name: str, line: str, kind: str, tmp_path: Path) -> None:
    """In a copy of a file, in whatever language, also where another word of it is explained."""
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / name, tmp_path / name)
    assert secrets(tmp_path, [name]) == []
    before = (ROOT / name).read_text()
    (tmp_path / name).write_text(f"{before}{line}\n")
    assert (name, len(before.splitlines()) + 1, kind) in secrets(tmp_path, [name])
