"""A guided calibration for the tests: the command as a person types it, in this process, on simulated chips."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from calibration.certificate import Certificate, load_certificate
from edge.cli.main import main
from edge.guided_calibration.session import Session, load_session

TWO_WIRES = '[bridge]\nchip = "nau7802"\n[oven_probe]\nwires = 2\nref_ohm = 430.0\nmains_hz = 50\n'


class Said(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """Get the one line that a refusal is."""
        assert self.status in (1, 2), self
        assert self.err.startswith("halfpercent: "), self.err
        assert self.err.count("\n") == 1, self.err
        return self.err


def halfpercent(*words: str | Path, stdin: str = "") -> Said:
    """Run a command to its end."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    with (
        mock.patch.object(sys, "argv", ["halfpercent", *map(str, words)]),
        mock.patch.object(sys, "stdin", io.StringIO(stdin)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as e:
            status = int(e.code or 0)
    return Said(status, out.getvalue(), err.getvalue())


class Lab:
    """One load cell's calibration in a folder, step by step on the rig that ``seed`` draws."""

    def __init__(self, folder: Path, seed: int = 1, *more: str | Path) -> None:
        self.folder = folder
        self.words = ["--db", folder / "halfpercent.db", "--simulate", str(seed), *more]

    def calibrate(self, step: str, *words: str, stdin: str = "") -> Said:
        """Do one step."""
        return halfpercent("calibrate", step, *words, *self.words, stdin=stdin)

    def done(self, step: str, *words: str) -> Said:
        """Do one step that must succeed."""
        said = self.calibrate(step, *words)
        assert said.status == 0, said.err
        return said

    @property
    def session(self) -> Session:
        """Get what is kept."""
        found = load_session(self.folder / "calibration" / "cell.session.json")
        assert found is not None
        return found

    @property
    def certificates(self) -> list[Path]:
        """Get the certificates in the order in which they were written."""
        return sorted((self.folder / "certificates").glob("*.toml"), key=lambda p: (len(p.name), p.name))

    @property
    def certificate(self) -> Certificate:
        """Get the newest one."""
        return load_certificate(self.certificates[-1])
