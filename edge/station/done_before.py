"""What the one before did, for whoever asks for the same a moment later: two operators at once.

It is kept in memory, of the newest command of each kind, and goes with the process. This module must never refuse
anything: it only adds to a refusal who had done what was asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.records.command import OperatorWord
from hw.clock import NS_PER_S

KEPT_S = 3600.0
"""What was done longer ago is no answer to somebody who asks now."""
_DONE = {
    OperatorWord.TARE: "the tare was asked for",
    OperatorWord.LOAD: "the sample was said to be on",
    OperatorWord.VENT: "the air was said to be let in",
    OperatorWord.CARRY_OUT: "the sample was said to be taken away",
    OperatorWord.CARRY_BACK: "the sample was said to be back",
    OperatorWord.ZERO: "the second zero was asked for",
    OperatorWord.CHECK: "the check weight was said to be on",
    OperatorWord.ABORT: "run {run} was aborted",
}


@dataclass(frozen=True, slots=True)
class _Done:
    who: str
    at_ns: int
    run_id: int


class DoneBefore:
    """Remembers who did what last, by the boot clock."""

    def __init__(self) -> None:
        self._steps: dict[OperatorWord, _Done] = {}
        self._acknowledged: _Done | None = None

    def took(self, word: OperatorWord, who: str, run_id: int, now_ns: int) -> None:
        """Remember a step that ``who`` took in a run."""
        self._steps[word] = _Done(who, now_ns, run_id)

    def acknowledged(self, who: str, now_ns: int) -> None:
        """Remember that ``who`` acknowledged what stood."""
        self._acknowledged = _Done(who, now_ns, 0)

    def said(self, word: OperatorWord, run_id: int | None, now_ns: int) -> str:
        """Get who had taken a step that was refused, or had ended the run, with a mark before it; '' for nobody.

        ``run_id`` is the run that is measured (None: none is).
        """
        for of in (OperatorWord.ABORT,) if run_id is None else (OperatorWord.ABORT, word):
            done = self._steps.get(of)
            if done is not None and run_id in (None, done.run_id) and (ago := _ago(done, now_ns)):
                return f"; {_DONE[of].format(run=done.run_id)} by {done.who}, {ago}"
        return ""

    def who_acknowledged(self, now_ns: int) -> str:
        """Get who acknowledged last and when; '' for nobody."""
        done = self._acknowledged
        ago = "" if done is None else _ago(done, now_ns)
        return f"{done.who}, {ago}" if done is not None and ago else ""


def _ago(done: _Done, now_ns: int) -> str:
    s = (now_ns - done.at_ns) / NS_PER_S
    return "" if not 0.0 <= s <= KEPT_S else f"{s:.0f} s ago" if s < 120.0 else f"{s / 60.0:.0f} min ago"
