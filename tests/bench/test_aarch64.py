"""The other processor in small, without an emulator: what is compared is made, and a difference is seen."""

from __future__ import annotations

from pathlib import Path

from aarch64 import bits, compared, here
from sealed_run import SealedRun


def test_what_is_compared_is_made_here_and_what_differs_is_seen(sealed: SealedRun, tmp_path: Path) -> None:
    package = tmp_path / "run.eln"
    package.write_bytes(sealed.raw)
    found = bits(here, package, sealed.signers_file, n=2)
    assert found["a run sealed on x86_64"] == "VERIFIED"
    assert [line.split()[0] for line in found["stored runs"].splitlines()] == ["ok"] * 3
    shown, same = compared({"here": found, "there": found | {"versions": "others"}})
    assert same
    assert "VERIFIED" in shown
    assert not compared({"here": found, "there": found | {"fold": "0" * 64}})[1]
