"""The gate: how far from its neighbours a code or a mass may be before it is a glitch and no reading.

One number for runs, recordings and calibrations. This module must never depend on what is measured.
"""

from __future__ import annotations

GATE_SIGMAS = 12.0
"""So many standard deviations of single samples: noise reaches it never, a shifted bit nearly always."""
