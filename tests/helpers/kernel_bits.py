"""What the kernels make, as hashes, and what they cost: printed as JSON, for whichever compiler is there.

Run as a program. ``KERNELS=python`` hides the compiler, so that the kernels run in Python.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

if os.environ.get("KERNELS") == "python":
    sys.modules["numba"] = None  # type: ignore[assignment]  # as if it were not there

import hashlib

import numpy as np
from random_blocks import digest
from random_frames import measured, random_frames, same

from edge.database.codec import decode, encode
from edge.fold import kernel, layout
from edge.fold.block import block_from_frames
from hw.compiled import why_python


def codec_digest(n: int) -> str:
    """Get the hash of ``n`` chunks of each kind, and see that each is given back."""
    sha, rng = hashlib.sha256(), np.random.default_rng(5)
    for i in range(n):
        frames = [measured(3, rate, seed=i, jitter_us=60.0 * (i % 2)) for rate in (10, 80)]
        for frame in (*frames, random_frames(rng, 3, recorded=False)):
            blob = encode(frame)
            assert same(decode(blob), frame)
            sha.update(blob)
    return sha.hexdigest()


def us_a_frame(act: Callable[[], object], frames: int, least_s: float = 0.3) -> float:
    """Get what one frame takes, in µs: the least of several goes."""
    act()
    best_s, until_s = float("inf"), time.perf_counter() + least_s
    while time.perf_counter() < until_s:
        begun_s = time.perf_counter()
        act()
        best_s = min(best_s, time.perf_counter() - begun_s)
    return best_s / frames * 1e6


def main() -> None:
    """Print what the kernels make and cost."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    costs = {}
    for rate in (10, 80, 320):
        frames = measured(5, rate)
        block, blob = block_from_frames(frames, 0), encode(frames)
        state, params = layout.new_state(), layout.new_params()
        costs[rate] = (
            us_a_frame(lambda s=state, p=params, b=block: kernel.advance(s, p, b), 5),  # type: ignore[misc]
            us_a_frame(lambda f=frames: encode(f), 5),  # type: ignore[misc]
            us_a_frame(lambda b=blob: decode(b), 5),  # type: ignore[misc]
        )
    print(json.dumps({"fold": digest(n, 30), "codec": codec_digest(n), "python": why_python(), "us": costs}))


if __name__ == "__main__":
    main()
