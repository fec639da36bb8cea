"""The virtual Pi's kernel is changed where its source is the one that is known, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from virtualpi.mended_kernel import EDITS, mend


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The lines that are changed, in the order of the file, between others."""
    for name, old, _ in EDITS:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((path.read_text() if path.exists() else "") + f"/* other */\n{old}/* other */\n")
    return tmp_path


def test_each_line_is_changed_once_and_a_second_time_is_refused(source: Path) -> None:
    mend(source)
    for name, old, new in EDITS:
        text = (source / name).read_text()
        assert text.count(new) == 1
        assert old in new or old not in text
    with pytest.raises(RuntimeError, match="not as known here"):
        mend(source)


def test_a_source_that_is_another_is_refused_in_one_line(source: Path) -> None:
    name, old, _ = EDITS[0]
    (source / name).write_text((source / name).read_text().replace(old, old.replace("2696", "4096")))
    with pytest.raises(RuntimeError, match=r"^arch/x86/um/user-offsets\.c: not as known here[^\n]*$"):
        mend(source)
