"""What tests of kinds share: a folder in which recordings are written down and judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from judged_recording import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
