"""A Sphinx extension: a link to a file of the code leads to a page that shows it, at the function that the link names.

In Markdown it is an ordinary link, ``[`handler`](../lambda/predict/handler.py)``, which works on GitHub, too.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

LEXERS = {".py": "python", ".json": "json", ".yaml": "yaml", ".toml": "toml", ".txt": "text", "": "text"}
"""Ending of a file that gets a page → how it is coloured. Any other file is downloaded."""


def line_of(name: str, code: str) -> int:
    """Return the line on which a file of Python or YAML defines a function, class, constant or state; 0 for none."""
    found = re.search(rf"^ *(?:def |class )?{re.escape(name)} ?[(:=]", code, re.MULTILINE)
    return code.count("\n", 0, found.start()) + 1 if found else 0


def link(app: Sphinx, page: nodes.document) -> None:
    """Turn a page's links to files of the code into links to their pages."""
    for one in list(page.findall(addnodes.download_reference)):
        file = (Path(app.env.doc2path(app.env.docname)).parent / one["reftarget"]).resolve()
        if file.suffix in LEXERS and file.is_file():
            target = f"code/{file.relative_to(app.srcdir)}"
            line = line_of(one.astext(), file.read_text(encoding="utf-8"))
            uri = app.builder.get_relative_uri(app.env.docname, target) + (f"#L-{line}" if line else "")
            one.replace_self(nodes.reference("", "", *one.children, internal=True, refuri=uri))
            vars(app).setdefault("code_pages", {})[target] = file


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the page of each file that some page links to."""
    for page, file in sorted(vars(app).get("code_pages", {}).items()):
        highlight = app.builder.highlighter.highlight_block  # type: ignore[attr-defined]
        body = highlight(file.read_text(encoding="utf-8"), LEXERS[file.suffix], lineanchors="L")
        body = re.sub(r' (name|href)="#?L-\d+"', "", body)  # a place to go to, no link
        name = page.removeprefix("code/")
        yield page, {"title": name, "body": f"<h1><code>{name}</code></h1>{body}"}, "page.html"


def setup(app: Sphinx) -> None:
    """Add this to a site, which has to be built anew each time (`sphinx -E`)."""
    app.connect("doctree-read", link, priority=100)  # before Sphinx collects downloads
    app.connect("html-collect-pages", pages)
