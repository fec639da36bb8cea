"""What a verdict means for a sample's name, in words: no more than a loss of mass can say.

This module must never call a sample free of liquid, nor hybrid, nor liquid: mass loss alone cannot tell.
"""

from __future__ import annotations

from edge.records.result import Verdict

NOT_MET = "Not solid-state by this criterion. Mass loss alone cannot tell a hybrid cell from a liquid one."


def meaning(verdict: Verdict, weigh: str, blind_spot: str | None) -> str | None:
    """Get what PASS or FAIL means (None for the other verdicts). ``blind_spot`` belongs to every PASS.

    ``weigh``: a loss over the hold alone, judged hot, decides nothing about a name.
    """
    if verdict is Verdict.PASS:
        return f"Criterion met. {blind_spot}" if blind_spot else "Criterion met."
    if verdict is Verdict.FAIL:
        return NOT_MET if weigh == "cold" else "Criterion not met."
    return None
