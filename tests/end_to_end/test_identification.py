"""The identification of the legally relevant part goes up whenever a stored run gives another result, and only then.

Two runs that an earlier version stored are judged anew, from their raw codes to the verdict. Where the digest of their
results is another than the one beside the number, either the change is a mistake, or the number goes up by one with it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.qualify.stored_runs import DIGITS, SECONDS_SHA256, computed, digest
from edge.seal.identification import DIGEST, IDENTIFICATION


@pytest.fixture(scope="module")
def results() -> list[object]:
    return [computed(bridge)[1] for bridge in SECONDS_SHA256]


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
