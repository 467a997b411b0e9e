"""How Sphinx makes the site in build/docs from the Markdown pages of this project (`make docs`)."""

import posixpath
import re

from sphinx.application import Sphinx

project = html_title = "Text classifier"
extensions = ["myst_nb", "tools.code_pages"]
root_doc = "docs/README"
include_patterns = ["*.md", "client/*.md", "container/*.md", "training_job/data/*.md", "docs/**.md", "docs/*.ipynb"]
nb_execution_mode = "off"
exclude_patterns = ["build", "cdk.out", "node_modules", "tests", ".*"]
myst_heading_anchors = 4
html_theme, html_favicon = "furo", "site/icon.svg"
templates_path = html_static_path = ["site"]
html_css_files, html_js_files = ["site.css"], ["site.js"]
html_additional_pages = {"index": "redirect.html"}
html_copy_source = html_show_sphinx = False
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"


def add_navigation(_: Sphinx, page: str, source: list[str]) -> None:
    """Put the pages that a README of docs/ links to into the navigation; one that it numbers keeps its own title."""
    if re.fullmatch("docs/(.*/)?README", page):
        for part in source[0].split("\n## "):
            links = re.findall(r"\[(\d*)([^]]*)\]\(([^):]+)\.(?:md|ipynb)\)", part)
            pages = {posixpath.normpath(posixpath.join("/", page, "..", link)): text for _, text, link in links}
            listed = [f"{text} <{path}>" if text else path for path, text in pages.items()]
            caption = part.partition("\n")[0].lstrip("# ")
            source[0] += "\n".join(["\n\n```{toctree}", ":hidden:", f":caption: {caption}", "", *listed, "```"])


def setup(app: Sphinx) -> None:
    """Add the navigation."""
    app.connect("source-read", add_navigation)
