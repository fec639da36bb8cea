"""A shipped night acted out on the simulated rig, and whether what came of it is what its file accepts.

``make nights`` acts all of them out (docs/nights.md). This module must never call a verdict good that is confident and
wrong.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.errors import HalfpercentError
from edge.records.result import Result, Verdict
from edge.records.sample import Sample
from edge.simulate.demo import DemoOrder, run_night
from edge.simulate.night_file import Night, load_night
from edge.standards.standard import Standard, load_standard

NATIONAL = "gbt-48093-1-2026"


@dataclass(frozen=True, slots=True)
class Acted:
    """One night that was acted out. ``verdict`` is None where no run came to its end, and ``why`` says it."""

    night: str
    accepted: tuple[str, ...]
    seed: int
    bridge: str
    verdict: Verdict | None
    loss_pct: float | None = None
    U_pct: float | None = None
    true_loss_pct: float | None = None
    limit_pct: float = 0.5
    why: str = ""
    one_sided_pct: float = 0.0
    took_s: float = 0.0

    @property
    def inside(self) -> bool | None:
        """Whether the interval, with what is carried towards more loss, holds the truth; None where there is none."""
        if self.loss_pct is None or self.U_pct is None or self.true_loss_pct is None:
            return None
        return -self.U_pct <= self.true_loss_pct - self.loss_pct <= self.U_pct + self.one_sided_pct

    @property
    def wrong(self) -> bool:
        """Whether the verdict is confident, and the wrong one."""
        if self.true_loss_pct is None:
            return False
        lost_too_much = self.true_loss_pct > self.limit_pct
        return self.verdict is (Verdict.PASS if lost_too_much else Verdict.FAIL)

    @property
    def as_promised(self) -> bool:
        """Whether the verdict is not wrong, and is accepted or of an interval that holds the truth."""
        return not self.wrong and bool(self.inside or (self.verdict is not None and self.verdict in self.accepted))

    def line(self) -> str:
        """Say it in one line."""
        more = f" (+ {self.one_sided_pct:.3f})" if self.one_sided_pct else ""
        judged = "" if self.loss_pct is None else f"{self.loss_pct:.3f} ± {self.U_pct:.3f}{more}, "
        true = "unknown" if self.true_loss_pct is None else f"{self.true_loss_pct:.3f}"
        end = f"{judged}true {true} {self.why}".rstrip()
        said = "ok " if self.as_promised else "BAD"
        which = f"{said} {self.night} {self.bridge} {self.seed}"
        return f"{which}: {self.verdict or 'no result'} {end} ({self.took_s:.0f} s)"


def act(name: str, seed: int, bridge: str, standard: Standard | None = None) -> Acted:
    """Act a shipped night out with another seed and bridge, by the national standard or another."""
    night = load_night(name)
    head = msgspec.structs.replace(night.head, seed=seed, bridge=bridge)
    return act_out(Night(name, head, night.events), standard or load_standard(NATIONAL))


def act_out(night: Night, standard: Standard) -> Acted:
    """Act a night out through the drivers, the chip models and the real service."""
    began = time.monotonic()
    name, head, seed, bridge = night.name, night.head, night.head.seed, night.head.bridge
    order = DemoOrder(standard, Sample(name), seed)
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = run_night(night, order, Path(folder) / "h.db", None, lambda _line: None)
        except HalfpercentError as e:
            return Acted(name, head.accepted, seed, bridge, None, why=str(e), took_s=time.monotonic() - began)
    return acted(night, result, time.monotonic() - began)


def acted(night: Night, result: Result, took_s: float) -> Acted:
    """Say what came of a night that came to its end."""
    true = result.true_loss_pct
    return Acted(
        night.name,
        night.head.accepted,
        night.head.seed,
        night.head.bridge,
        result.verdict,
        result.loss_pct,
        result.U_pct,
        true if isinstance(true, float) else None,
        result.limit_pct,
        result.invalid_because or "",
        result.one_sided_pct,
        took_s,
    )
