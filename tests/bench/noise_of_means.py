"""Noise of a mean: is it inside its stated interval as often as it says, whatever the noise's memory?

Windows of ten minutes at one value a second, of noise by several laws; the true mean is known. For noise that is slower
than a window, two of them lie six hours apart, and the night around them says what hours do, as a calibration's does.
``tests/bench/test_noise_of_means.py`` is the small form.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from bench_report import Section, table
from scipy.signal import lfilter

from calibration.allan import mean_over_whole_window
from calibration.thermal import WalkFit, fit_walk
from calibration.wander import fit_wander
from edge.uncertainty.budget import coverage_factor

F8 = npt.NDArray[np.float64]
N, HOUR = 600, 3600
NIGHT = 9 * HOUR
APART = 6 * HOUR
COVERAGE = 0.95

SECTION = Section(
    "noise_of_means",
    "## Noise of a mean",
    """
A mean of ten minutes at one value a second, its u and degrees of freedom from the values themselves, the interval with
Student's k for 95 %. *Alone*: is the true mean inside. *Six hours apart*: is the true difference of two means inside,
with what a night of the same noise shows of hours (`calibration/wander.py`).
""",
    """
Goals: 93 to 98 % alone for white noise, for a memory of 20 and of 60 s, with white noise on it and with a drift in the
window; at least 90 % for a memory of 200 s. Flicker noise has no mean of its own that ten minutes could know: it is
judged as a loss is.
""",
)


def autoregressive(rng: np.random.Generator, n: int, tau_s: float) -> F8:
    """Noise of standard deviation 1 that forgets itself in ``tau_s``."""
    left = math.exp(-1.0 / tau_s)
    shocks = rng.standard_normal(n) * math.sqrt(1.0 - left * left)
    shocks[0] = rng.standard_normal()
    return np.asarray(lfilter([1.0], [1.0, -left], shocks), np.float64)


def flicker(rng: np.random.Generator, n: int) -> F8:
    """Noise whose power is as one over the frequency, down to one turn in some days."""
    size = 1 << 18
    frequency = np.fft.rfftfreq(size)
    amplitude = np.zeros(len(frequency))
    amplitude[1:] = 1.0 / np.sqrt(frequency[1:])
    phases = rng.standard_normal(len(frequency)) + 1j * rng.standard_normal(len(frequency))
    values = np.fft.irfft(amplitude * phases)
    begin = int(rng.integers(0, size - n))
    return np.asarray(values[begin : begin + n] / np.std(values), np.float64)


def white(rng: np.random.Generator, n: int) -> F8:
    """Independent values of standard deviation 1."""
    return rng.standard_normal(n)


Law = Callable[[np.random.Generator, int], F8]
LAWS: Mapping[str, Law] = MappingProxyType(
    {
        "white": white,
        "memory of 20 s": lambda rng, n: autoregressive(rng, n, 20.0),
        "memory of 60 s": lambda rng, n: autoregressive(rng, n, 60.0),
        "white and memory of 20 s": lambda rng, n: 3.0 * white(rng, n) + autoregressive(rng, n, 20.0),
        "white and memory of 60 s": lambda rng, n: 3.0 * white(rng, n) + autoregressive(rng, n, 60.0),
        "memory of 200 s": lambda rng, n: autoregressive(rng, n, 200.0),
        "white, drifting in the window": lambda rng, n: white(rng, n) + np.linspace(-1.0, 1.0, n),
    }
)
SLOW: Mapping[str, Law] = MappingProxyType(
    {
        "memory of 200 s": LAWS["memory of 200 s"],
        "flicker": flicker,
        "white and a walk": lambda rng, n: white(rng, n) + np.cumsum(0.02 * white(rng, n)),
    }
)


def alone(law: Law, windows: int, seed: int) -> float:
    """Get how often, as a share, the true mean of a window is inside its interval."""
    rng, inside = np.random.default_rng((seed, 1)), 0
    for _ in range(windows):
        found = mean_over_whole_window(law(rng, N).tolist())
        inside += abs(found.mean) <= coverage_factor(COVERAGE, found.dof) * found.u
    return inside / windows


def apart(law: Law, windows: int, seed: int) -> float:
    """Get how often, as a share, the difference of two windows is inside, hours seen in a night of the same noise."""
    rng, inside = np.random.default_rng((seed, 2)), 0
    t_s = np.arange(NIGHT, dtype=np.float64) + 0.5
    for _ in range(windows):
        nights = [law(rng, NIGHT) for _ in range(2)]
        walks = [fit_walk(t_s, night) for night in nights]
        dof = math.fsum(w.dof for w in walks)
        walk = WalkFit(math.sqrt(math.fsum(w.per_sqrt_h**2 * w.dof for w in walks) / dof), dof)
        lines = [float(np.polyfit(t_s / HOUR, night, 1)[0]) for night in nights]
        own = fit_wander([(t_s, night) for night in nights], lines, walk).over(APART / HOUR)
        test = law(rng, APART + 2 * N)
        first, last = (mean_over_whole_window(part.tolist()) for part in (test[:N], test[-N:]))
        u = math.hypot(first.u, last.u, own.rms)
        weight = math.fsum(
            part**4 / dof for part, dof in ((first.u, first.dof), (last.u, last.dof), (own.rms, own.dof))
        )
        inside += abs(last.mean - first.mean) <= coverage_factor(COVERAGE, u**4 / weight) * u
    return inside / windows


def found_in(windows: int, nights: int, seed: int = 1) -> str:
    """Get the tables."""
    short = table(
        ("noise", "alone"),
        *((name, f"{alone(law, windows, seed) * 100.0:.1f} %") for name, law in LAWS.items()),
    )
    slow = table(
        ("noise", "six hours apart"),
        *((name, f"{apart(law, nights, seed) * 100.0:.1f} %") for name, law in SLOW.items()),
    )
    return f"{short}\n\n{slow}"


def main() -> None:
    """Draw windows, and say how often the truth is inside."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=2000)
    parser.add_argument("--nights", type=int, default=300)
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    args = parser.parse_args()
    began = time.monotonic()
    found = found_in(args.windows, args.nights)
    SECTION.report(found, took_s=time.monotonic() - began, write=args.write)


if __name__ == "__main__":
    main()
