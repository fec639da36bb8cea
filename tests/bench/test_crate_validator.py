"""The validator in small: each term of a package's metadata is in the context that is supplied."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator

import roc_check
from sealed_run import SealedRun


def terms(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from (name, one) if name == "@type" else (name,)
            yield from terms(one)
    elif isinstance(value, list):
        for one in value:
            yield from terms(one)


def test_each_term_that_a_package_uses_is_in_the_context(sealed: SealedRun) -> None:
    with zipfile.ZipFile(io.BytesIO(sealed.raw)) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("ro-crate-metadata.json"))
        crate = json.loads(archive.read(name))
    used = {term for term in terms(crate["@graph"]) if not term.startswith("@")}
    assert used <= set(roc_check.context()["@context"])
    assert crate["@context"] == roc_check.CONTEXT
