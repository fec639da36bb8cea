"""The identification of the legally relevant part goes up whenever a stored run gives another result, and only then.

Two runs that an earlier version stored are judged anew, from their raw codes to the verdict. Where the digest of their
results is another than the one beside the number, either the change is a mistake, or the number goes up by one with it.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from contextlib import closing
from pathlib import Path

import pytest
from repository import STORED

from edge.database.reading import LONG_CPU_S, open_readonly
from edge.evidence.recompute import DECIDES, rejudged
from edge.records.result import as_json
from edge.run.refold import refold
from edge.seal.identification import DIGEST, IDENTIFICATION

DIGITS = 9
"""Significant: what a library sums in another order differs after some fifteen."""


def rounded(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return value


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    found = []
    for bridge in ("hx711", "nau7802"):
        path = tmp_path_factory.mktemp("stored") / f"{bridge}.db"
        path.write_bytes(lzma.decompress((STORED / "before-the-house" / f"{bridge}.db.xz").read_bytes()))
        with closing(open_readonly(path, cpu_s=LONG_CPU_S)) as db:
            (_, result), *_ = rejudged(db, 1, refold(db, 1))
        plain = as_json(result)
        found.append(rounded({name: plain[name] for name in DECIDES if name in plain}))
    return found


def digest(results: list[object]) -> str:
    return hashlib.sha256(json.dumps(results, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def test_the_number_has_gone_up_with_every_change_of_a_result(results: list[object]) -> None:
    assert digest(results) == DIGEST, (
        f"a stored run gives another result than identification {IDENTIFICATION}: a mistake? else put the number up by "
        f"one, and beside it the digest {digest(results)}"
    )


def test_a_figure_that_changes_by_a_millionth_is_seen(results: list[object]) -> None:
    one = json.loads(json.dumps(results))
    one[0]["m1_g"] = f"{float(one[0]['m1_g']) * (1.0 + 1e-6):.{DIGITS}g}"
    assert digest(one) != digest(results)


def test_the_module_beside_which_it_stands_imports_nothing() -> None:
    import edge.seal.identification as module

    assert module.__file__ is not None
    text = Path(module.__file__).read_text(encoding="utf-8")
    assert "import" not in text.split('"""')[2].replace("from __future__ import annotations", "")
