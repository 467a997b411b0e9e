"""The supply chain: SBOMs (`make sbom`), known weaknesses (`make audit`), digests of images (`make images`).

Exit codes: 0 all is well, 1 a weakness was found or an image does not exist, 3 not everybody could be asked.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError

from stacks.common.container_image import DIGESTS, INFERENCE, TRAINING, resolve_image
from stacks.config.environment import DEFAULT_REGION
from tools import setup

FILES = {
    "development": "requirements.lock",
    "slim-image": "container/requirements.txt",
    "training-job": "training_job/requirements.txt",
    "training-job-tracking": "training_job/tracking.txt",
    "model-artifact": "training_job/vendored.txt",
    "training-toolkit": setup.TOOLKITS["toolkit"],
}
"""What is installed → the file that names all of it. The next two come from the lock of the first."""
PARTS = {
    "lambda-layer": "lambda/requirements.txt",
    "local-cloud": "local/requirements.txt",
    "tuning-sampler": "local/sampler.txt",
}
_MANIFESTS = ("docker.distribution.manifest.list.v2", "docker.distribution.manifest.v2", "oci.image.index.v1")
_ACCEPT = {"Accept": ", ".join(f"application/vnd.{kind}+json" for kind in (*_MANIFESTS, "oci.image.manifest.v1"))}


def write_sboms(folder: Path = setup.ROOT / "build" / "sbom") -> int:
    """Write each thing's SBOM in CycloneDX's JSON, validated. Raises SystemExit: one could not be made."""
    from cyclonedx.schema import SchemaVersion  # they take seconds, which the other verbs need not pay
    from cyclonedx.validation.json import JsonStrictValidator
    from jsonschema import Draft7Validator

    # Each URI is an IRI, nothing else is written, and jsonschema's parser of IRIs took four fifths of the time.
    formats = Draft7Validator.FORMAT_CHECKER.checkers
    formats["iri-reference"] = formats["uri-reference"]
    folder.mkdir(parents=True, exist_ok=True)
    python = (setup.VENV / "bin" / "cyclonedx-py", "requirements", "--output-reproducible", "--no-validate", "-")
    texts = {name: (setup.ROOT / file).read_text(encoding="utf-8") for name, file in FILES.items()}
    texts |= {name: setup.entries(setup.packages_of(file)) for name, file in PARTS.items()}
    node = (*setup.npm_command(), "sbom", "--package-lock-only", "--sbom-format=cyclonedx")
    for name, text in {**texts, "node": ""}.items():
        document, reason = _run(*(python if text else node), text=text)
        validator = JsonStrictValidator(SchemaVersion.from_version(document.get("specVersion", "1.6")))
        if error := validator.validate_str(json.dumps(document)):
            raise SystemExit(f"[sbom] {name}: {str(error.data).splitlines()[0]} ({reason})")
        (folder / f"{name}.cdx.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
        print(f"[sbom] {name}.cdx.json: {len(document['components'])} components")
    return 0


def audit(osv: str = "https://api.osv.dev/v1/query") -> int:
    """Ask OSV and npm for advisories; print what was found, with the fixed version, and what could not be checked."""
    # The service of PyPI would count a package that the index does not know as free of advisories.
    how = ["--vulnerability-service=osv", f"--osv-url={osv}", "--disable-pip", "--format=json"]
    how += ["--progress-spinner=off", *(f"--requirement={file}" for file in FILES.values())]
    report, reason = _run(setup.VENV / "bin" / "pip-audit", *how)
    packages = report.get("dependencies", [{"skip_reason": f"Python packages: {reason}"}])
    lines = [
        f"found: {one['name']} {one['version']}: {advisory['id']}, fixed in: {', '.join(advisory['fix_versions'])}"
        for one in packages
        for advisory in one.get("vulns", [])
    ]
    lines += [f"not checked: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    report, reason = _run(*setup.npm_command(), "audit", "--package-lock-only", "--json")
    if "vulnerabilities" not in report:
        lines.append(f"not checked: Node packages: {report.get('message') or reason}")
    for name, one in report.get("vulnerabilities", {}).items():
        titles = [via["title"] if isinstance(via, dict) else via for via in one["via"]]
        lines.append(f"found: {name} {one['range']}: {', '.join(titles)}, fixed by: {json.dumps(one['fixAvailable'])}")
    return _told("audit", lines or ["all was checked, nothing found"])


def _run(*command: str | Path, text: str = "") -> tuple[dict[str, Any], str]:
    """Return the JSON that a command prints, and the last line of its errors."""
    done = subprocess.run(command, cwd=setup.ROOT, input=text, capture_output=True, text=True)
    return json.loads(done.stdout or "{}"), (done.stderr.strip().splitlines() or ["no answer"])[-1]


def _told(what: str, lines: list[str]) -> int:
    print(*(f"[{what}] {line}" for line in lines), sep="\n")
    starts = {line.partition(":")[0] for line in lines}
    return 1 if starts & {"found", "no such tag"} else 3 if "not checked" in starts else 0


def resolve_images(dockerfile: Path, digests: Path, images: Iterable[str]) -> Iterator[str]:
    """Write the digests of the Dockerfile's base and of `images`; yield what was said. Without an answer, all stays."""
    text, known = dockerfile.read_text(encoding="utf-8"), json.loads(digests.read_text(encoding="utf-8"))
    (base,) = set(re.findall(r"^FROM ([^@\s]+)", text, re.MULTILINE))
    for image in (base, *images):
        try:
            known[image] = digest_of(image)
            yield f"{image}: {known[image]}"
        except (requests.RequestException, BotoCoreError, ClientError) as error:
            missing = getattr(getattr(error, "response", None), "status_code", 0) == requests.codes.not_found
            yield f"{'no such tag' if missing else 'not checked'}: {image}: {error}"
    if digest := known.pop(base, ""):
        text = re.sub(rf"^(FROM {re.escape(base)})(@\S+)?", rf"\1@{digest}", text, flags=re.MULTILINE)
        dockerfile.write_text(text, encoding="utf-8")
    digests.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def digest_of(image: str) -> str:
    """Return the digest of `host/repository:tag`, computed from the manifest; raise requests' and botocore's errors."""
    name, _, tag = image.rpartition(":")
    host, _, repository = name.partition("/")
    url = f"http{'' if host.startswith('127.0.0.1:') else 's'}://{host}/v2/{repository}/manifests/{tag}"
    answer = requests.get(url, headers=_ACCEPT, timeout=20)
    if answer.status_code == requests.codes.unauthorized:
        login = {"Authorization": _login(answer.headers["WWW-Authenticate"])}
        answer = requests.get(url, headers=_ACCEPT | login, timeout=20)
    answer.raise_for_status()
    return f"sha256:{hashlib.sha256(answer.content).hexdigest()}"


def _login(challenge: str) -> str:
    if challenge.startswith("Basic"):  # ECR, which wants the credentials of some account
        return f"Basic {boto3.client('ecr').get_authorization_token()['authorizationData'][0]['authorizationToken']}"
    words = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    answer = requests.get(words.pop("realm"), params=words, timeout=20)
    answer.raise_for_status()
    return f"Bearer {answer.json()['token']}"


def images() -> int:
    """Resolve the images that the stacks name, in the region of the credentials, and the base of the slim one."""
    region = boto3.Session().region_name or DEFAULT_REGION
    named = [re.split("[:@]", resolve_image(pin, region).uri)[0] + f":{pin.tag}" for pin in (INFERENCE, TRAINING)]
    return _told("images", list(resolve_images(setup.ROOT / "container" / "Dockerfile", DIGESTS, named)))


if __name__ == "__main__":
    verbs: dict[str, Callable[[], int]] = {"sbom": write_sboms, "audit": audit, "images": images}
    sys.exit(verbs[sys.argv[1]]())
