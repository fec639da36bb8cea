"""The shell of an HTML file of ours: one style, whole in it, and a policy that lets nothing else in.

This module must never let a script in, and never an address.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from .markup import Html, el


def document(title: str, body: Html, *, software: str, lang: str) -> str:
    """Get a whole HTML file with ``body`` (its ``main``) in the look of the report. ``lang`` is a language's tag."""
    css = Html("\n" + (files(__package__) / "report.css").read_text(encoding="utf-8"))
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content=f"default-src 'none'; style-src 'sha256-{digest}'"),
        el("meta", name="generator", content=f"halfpercent {software}"),
        el("title", title),
        el("style", css),
    )
    return "<!doctype html>\n" + el("html", head, el("body", body), lang=lang) + "\n"
