"""Random recordings, in small: one of each kind, none judged wrongly."""

from __future__ import annotations

import pytest
from random_recordings import found, judged
from random_recordings_drawn import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_no_verdict_is_wrong(kind: str) -> None:
    one = judged(1, kind)
    assert not one.wrong
    assert one.verdict is not None, one.why
    assert found([one]).count("\n") == 2
