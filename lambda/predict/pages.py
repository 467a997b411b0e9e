"""The pages and the contract. Each is read when it is first requested, as most Lambda instances never serve one."""

import base64
import functools
import hashlib
import json
import re
from pathlib import Path

from predict.http import Response

FOLDER = Path(__file__).with_name("pages")
CONTRACT_FILE = FOLDER / "openapi.json"

_STYLE_LINK = '<link rel="stylesheet" href="style.css">'
_SCRIPT = re.compile(r'<script src="([a-z]+\.js)"></script>')
_KEPT = {"Cache-Control": "public, max-age=300"}


@functools.cache
def demo(api_key_required: bool) -> Response:
    """Return the demo page, with a field for the key where predictions take one."""
    return _page("index.html", {'data-key="false"': 'data-key="true"'} if api_key_required else {})


@functools.cache
def docs() -> Response:
    """Return the rendered contract."""
    return _page("docs.html", {})


@functools.cache
def contract(api_key_required: bool) -> Response:
    """Return the contract; it says whether this deployment requires a key."""
    document = json.loads(CONTRACT_FILE.read_text(encoding="utf-8"))
    if api_key_required:
        document["paths"]["/v1/predictions"]["post"]["security"] = [{"ApiKey": []}]
    return Response(status=200, body=json.dumps(document, separators=(",", ":")), headers=_KEPT)


def _page(name: str, changes: dict[str, str]) -> Response:
    """Return a page as one document: links to styles and scripts would break without a slash after the stage."""
    page = (FOLDER / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        page = page.replace(old, new)
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    page = page.replace(_STYLE_LINK, f"<style>{style}</style>")
    scripts = [(FOLDER / found).read_text(encoding="utf-8") for found in _SCRIPT.findall(page)]
    for script in scripts:
        page = _SCRIPT.sub(lambda _, script=script: f"<script>{script}</script>", page, count=1)  # type: ignore[misc]
    return Response(
        status=200,
        body=page,
        content_type="text/html; charset=utf-8",
        headers={**_KEPT, "Content-Security-Policy": _policy(style, scripts), "Referrer-Policy": "no-referrer"},
    )


def _policy(style: str, scripts: list[str]) -> str:
    """Return a policy that allows the page's own inline style and scripts, calls to this origin, and nothing else."""
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {allowed}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
