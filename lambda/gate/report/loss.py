"""The training job's loss curve as a picture that can do nothing."""

from __future__ import annotations

import base64
import re

from gate.report.markup import Markup, tag

MAX_CHARACTERS = 300_000

_ACTIVE = re.compile(
    r"<\s*/?\s*(?:[\w.-]+:)?(?:script|foreignobject|iframe|object|embed|image|use|a|animate\w*|set|handler)\b"
    r"|\bon\w+\s*=|href|javascript:|url\s*\(|@import|<!|<\?|&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-f]{1,6});)",
    re.IGNORECASE,
)


def loss_picture(svg: str | None) -> Markup | None:
    """The drawing as an image of the page, or None if there is none or it is anything but a plain drawing.

    As an image and not as elements: a browser neither runs nor fetches anything in there, whatever it holds, and its
    styles stay inside. The check comes first all the same.
    """
    if svg is None or len(svg) > MAX_CHARACTERS:
        return None
    stripped = svg.strip()
    if not re.match(r"<svg[\s>]", stripped) or not stripped.endswith("</svg>") or _ACTIVE.search(stripped):
        return None
    try:
        encoded = base64.b64encode(stripped.encode("utf-8")).decode("ascii")
    except UnicodeEncodeError:
        return None
    description = "Loss over the training steps: lines for the training loss, dots for the validation loss"
    return tag("img", src=f"data:image/svg+xml;base64,{encoded}", alt=description, class_="loss")
