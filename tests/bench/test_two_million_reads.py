"""Two million reads of a simulated HX711 that is disturbed all the time: not one number may be false.

    python -m pytest tests/bench/test_two_million_reads.py -s

Every few seconds something happens to the chip, its wires or the process that reads it. The true signal
jumps to a new level every 20 s, so that a number of before is as false as a torn one. A number is false if it
is off by more than eight standard deviations of the chip's noise, which is 171 codes at gain 128 and 10 SPS.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from simulated_chips import HxRig, HxSpiRig

from hw.clock import NS_PER_S
from hw.protocols import Status

READS = 2_000_000
SHARE = 50_000
LEVEL_NS = 20 * NS_PER_S
HAPPENS_EVERY_S = 8.0
ALLOWED_SIGMAS = 8.0
MID_WORD = ("unplugged in a word", "grounded in a word", "browned out in a word")


def level(seed: int, t_ns: int) -> float:
    """Get the bridge's ratio in V/V: over nearly all codes, new every 20 s."""
    return (random.Random(seed * 1_000_003 + t_ns // LEVEL_NS).random() * 2.0 - 1.0) * 3.4e-3


class Trouble:
    """What happens to a rig, at random times."""

    def __init__(self, rig: HxRig | HxSpiRig, seed: int) -> None:
        self.rig = rig
        self.random = random.Random(seed)
        self.happened: Counter[str] = Counter()
        self._next()

    def _next(self) -> None:
        in_s = self.random.expovariate(1.0 / HAPPENS_EVERY_S)
        self.rig.clock.at(self.rig.clock.now_ns() + round(in_s * NS_PER_S), self._happen)

    def _happen(self) -> None:
        kinds = ["late pulse", "unplugged", "grounded", "held high", "browned out", "rail", "stopped", *MID_WORD]
        kind = self.random.choice(kinds if isinstance(self.rig, HxRig) else [*kinds, "port failed", "bit flipped"])
        self.happened[kind] += 1
        chip, seconds = self.rig.chip, 10.0 ** self.random.uniform(-2.0, 0.7)
        if kind == "late pulse":
            self._late(round(10.0 ** self.random.uniform(3.0, 8.5)))
        elif kind == "browned out":
            chip.reset()
        elif kind == "port failed":
            self.rig.port.fail_next(self.random.randint(1, 20))
        elif kind == "bit flipped":
            self._flip()
        elif kind in MID_WORD:
            action = {
                "unplugged in a word": chip.unplug,
                "grounded in a word": lambda: chip.short_dout(False),
                "browned out in a word": chip.reset,
            }[kind]
            self._after_edges(self.random.randint(1, 27), action, seconds)
        else:
            action, undo = {
                "unplugged": (chip.unplug, chip.plug),
                "grounded": (lambda: chip.short_dout(False), lambda: chip.short_dout(None)),
                "held high": (lambda: chip.short_dout(True), lambda: chip.short_dout(None)),
                "rail": (lambda: chip.saturate(self.random.choice((-1, 1))), lambda: chip.saturate(0)),
                "stopped": (chip.stop, chip.go),
            }[kind]
            action()
            self._later(seconds, undo)
        self._next()

    def _later(self, seconds: float, action) -> None:
        self.rig.clock.at(self.rig.clock.now_ns() + round(seconds * NS_PER_S), action)

    def _late(self, ns: int) -> None:
        if isinstance(self.rig, HxRig):
            self.rig.pins.preempt(ns, pulse=self.random.randint(1, 27))
        else:
            self.rig.port.stretch(ns, after_byte=self.random.randint(1, 9))

    def _flip(self) -> None:
        bit = self.random.randrange(72)

        def garble(answer: bytes) -> bytes:
            if len(answer) != 9:
                return answer
            self.rig.port.garble = None
            return (int.from_bytes(answer) ^ 1 << bit).to_bytes(9)

        self.rig.port.garble = garble

    def _after_edges(self, edges: int, action, seconds: float) -> None:
        chip = self.rig.chip
        honest = type(chip).sck.__get__(chip)
        left = edges

        def sck(rising: bool) -> None:
            nonlocal left
            fresh = rising and not chip._sck
            honest(rising)
            left -= fresh
            if fresh and left == 0:
                del chip.sck
                action()

                def undo() -> None:
                    chip.plug()
                    chip.short_dout(None)

                self._later(seconds, undo)

        chip.sck = sck


def share(seed: int, spi: bool) -> tuple[Counter, Counter, int, float, float]:
    """Read ``SHARE`` times: statuses, what happened, false numbers, the worst in sigma, simulated hours."""
    draw = random.Random(seed)
    rate_sps = draw.choice((10, 10, 80))
    gain = draw.choice((128, 128, 64))
    rig = (HxSpiRig if spi else HxRig)(
        lambda t: level(seed, t) * 128 / gain,
        {"rate_sps": rate_sps, "gain": gain},
        {"rate_sps": rate_sps, "rate_error": draw.choice((-0.05, 0.0, 0.16)), "seed": seed},
    )
    sigma = (50e-9 if rate_sps == 10 else 90e-9) / 5.0 * gain * (2 << 23)
    period_ns = round(1.1 * NS_PER_S / rate_sps)
    rig.driver.open()
    trouble = Trouble(rig, seed)
    statuses: Counter[str] = Counter()
    false, worst = 0, 0.0
    for _ in range(SHARE):
        sample = rig.driver.read(rig.clock.now_ns() + NS_PER_S // 2)
        statuses[Status(sample.status).name] += 1
        if sample.status is Status.OK:
            # A conversion may have ended just before the level changed.
            off = min(abs(sample.code - rig.chip.true_code(t, gain)) for t in (sample.t_ns, sample.t_ns - period_ns))
            worst = max(worst, off / sigma)
            if off > ALLOWED_SIGMAS * sigma:
                false += 1
                print("false:", seed, "SPI" if spi else "GPIO", sample, "off by", off)
    return statuses, trouble.happened, false, worst, rig.clock.now_ns() / NS_PER_S / 3600.0


def tally(reads: int, spi: bool) -> int:
    begin_s = time.perf_counter()
    statuses: Counter[str] = Counter()
    happened: Counter[str] = Counter()
    false, worst, hours = 0, 0.0, 0.0
    with ProcessPoolExecutor() as pool:
        for one in pool.map(share, range(reads // SHARE), [spi] * (reads // SHARE)):
            statuses += one[0]
            happened += one[1]
            false += one[2]
            worst = max(worst, one[3])
            hours += one[4]
    print(f"\n{reads:,} reads {'by SPI' if spi else 'on two GPIO lines'}, {hours:,.0f} simulated hours")
    print(f"in {time.perf_counter() - begin_s:.0f} s of real time")
    print("statuses:", ", ".join(f"{name} {n:,}" for name, n in statuses.most_common()))
    print("happened:", ", ".join(f"{name} {n:,}" for name, n in happened.most_common()))
    print(f"false numbers: {false}; the number farthest off: {worst:.1f} sigma of the chip's noise")
    return false


def test_two_million_reads_on_two_gpio_lines_give_no_false_number() -> None:
    assert tally(READS, spi=False) == 0


def test_a_tenth_of_that_by_spi_gives_none_either() -> None:
    assert tally(READS // 10, spi=True) == 0
