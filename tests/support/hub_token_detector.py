"""What detect-secrets lacks: tokens of the Hugging Face hub. It loads this file by its path."""

from __future__ import annotations

import re

from detect_secrets.plugins.base import RegexBasedDetector


class HubTokenDetector(RegexBasedDetector):
    """`hf_` and at least thirty letters and digits."""

    secret_type = "Hugging Face token"
    denylist = (re.compile(r"\bhf_[A-Za-z0-9]{30,}\b"),)
