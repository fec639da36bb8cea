"""Where things are in the repository and beside it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
HELPERS = TESTS / "helpers"
STORED = TESTS / "data"
"""Databases, recordings and certificates as earlier versions wrote them."""
RECORDINGS = ROOT.parent / "shared" / "data"
"""Real recordings, beside the project where somebody has put them."""
CASES = ROOT.parent / "shared" / "cases"
"""Inputs that an earlier version got wrong, with what is right, beside the project where somebody has put them."""
