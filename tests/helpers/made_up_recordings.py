"""Recordings of made-up tests, as masses and as codes, and the certificate that docs/calibration.md prints."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from repository import ROOT


def example_certificate() -> str:
    text = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
    return text.split("```toml\n", 1)[1].split("```", 1)[0]


def example_with_tare(tare_counts: int = 0) -> str:
    """The same with the empty holder's code, without which codes are no masses."""
    with_tare = example_certificate().replace("# tare_counts = 84210 ", f"tare_counts = {tare_counts} ")
    assert with_tare != example_certificate()
    return with_tare


def write(path: Path, rows: list[tuple[float, ...]], header: str = "t_s,mass_g,temp_c") -> Path:
    path.write_text(header + "\n" + "\n".join(",".join(repr(x) for x in r) for r in rows) + "\n", encoding="utf-8")
    return path


def cold_test(step_s: float, loss_g: float = 1.0, noise_g: float = 1e-4) -> list[tuple[float, ...]]:
    """Half an hour cold, a ramp, a six-hour hold that loses ``loss_g`` of 100 g, and an hour cold again."""
    rng = np.random.default_rng(7)
    out = []
    for t_s in np.arange(0.0, 36_000.0, step_s).tolist():
        hot_s = t_s - 1800.0
        temp_c = 25.0 + min(95.0, max(0.0, hot_s) / 3000.0 * 95.0)
        if hot_s > 3600.0 + 21600.0:
            temp_c = max(25.0, 120.0 - (hot_s - 25200.0) / 3000.0 * 95.0)
        lost_g = loss_g * (1.0 - math.exp(-max(0.0, hot_s - 3000.0) / 3000.0)) / (1.0 - math.exp(-7.4))
        out.append((t_s, 100.0 - lost_g + noise_g * float(rng.standard_normal()), temp_c))
    return out


def counts_test(loss_g: float, seed: int, mass_g: float = 200.0) -> list[tuple[float, ...]]:
    """A cold test as codes of the documented certificate's cell, which gains 0.05 g of its own on the way (creep)."""
    rng = np.random.default_rng(seed)
    out = []
    for t_s, g, temp_c in cold_test(5.0, loss_g=loss_g, noise_g=0.0):
        creep_g = 0.05 * (1.0 - math.exp(-t_s / 9000.0))
        code = 1540.32 * (mass_g + (g - 100.0) + creep_g) + 5.0 * float(rng.standard_normal())
        out.append((t_s, float(round(code)), temp_c, 25.0))
    return out
