"""Every scripted fault on every driver it applies to, acted out: what docs/faults.md says comes from here.

python tests/helpers/fault_scripts.py --write      writes docs/faults.md anew; tests/hw/test_faults_table.py compares
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from simulated_chips import AdsRig, HxRig, HxSpiRig, MprRig, NauRig, RtdRig, names

from hw.clock import NS_PER_S
from hw.protocols import Status

DOC = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
LASTS_S = 2.0
HEALS_WITHIN_S = 10.0
TOLERANCE = {NauRig: 180, HxRig: 171, HxSpiRig: 171, RtdRig: 4, MprRig: 10, AdsRig: 4}
"""So far from the truth noise can bring a code: 8 sigma and more."""
NAMES = {
    NauRig: "NAU7802",
    HxRig: "HX711, two GPIO lines",
    HxSpiRig: "HX711, SPI port",
    RtdRig: "MAX31865",
    MprRig: "MPRLS gauge",
    AdsRig: "ADS1115 gauge",
}

Act = Callable[[Any], object]


def nothing(_rig: Any) -> None:
    """Undo a fault that is over by itself."""


@dataclass(frozen=True)
class Fault:
    """One row's script. ``hidden`` says why a wrong number may pass; empty: none may."""

    name: str
    act: Act
    undo: Act = nothing
    lasts_s: float = LASTS_S
    hidden: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a fault led to."""

    statuses: list[str]
    false: int
    heals_s: float | None
    """From the fault's end to the first number, in simulated s; 0 where numbers never stopped."""


def on_chip(begin: str, end: str = "", *arguments: Any, back: tuple[Any, ...] = ()) -> dict[str, Act]:
    """Get the two acts of a fault that the chip model has a script for."""
    acts: dict[str, Act] = {"act": lambda rig: getattr(rig.chip, begin)(*arguments)}
    if end:
        acts["undo"] = lambda rig: getattr(rig.chip, end)(*back)
    return acts


def toggle(rig: Any) -> None:
    """Let thirteen bits of the code change with each conversion, and read late: words could tear."""
    middle = 105 << 12
    rig.chip.signal = lambda t: (middle + (200 if t // 100_000_000 % 2 else -200)) / 128 / (2 << 23)
    rig.late_s = 0.0493


def settle_signal(rig: Any) -> None:
    """Take the toggling away."""
    rig.late_s = 0.0


def in_word(action: str, *arguments: Any) -> Act:
    """Get an act that does something to an HX711 after twelve bits of its next word."""

    def act(rig: Any) -> None:
        honest, left = rig.chip.sck, 12
        before = False

        def sck(level: bool) -> None:
            nonlocal left, before
            honest(level)
            left -= level and not before
            before = level
            if left == 0:
                del rig.chip.sck
                getattr(rig.chip, action)(*arguments)

        rig.chip.sck = sck

    return act


def flip(rig: Any) -> None:
    """Damage one bit of the next word that comes over SPI."""

    def garble(answer: bytes) -> bytes:
        if len(answer) < 9:
            return answer
        rig.port.garble = None
        return (int.from_bytes(answer) ^ 1 << 8 * len(answer) - 20).to_bytes(len(answer))

    rig.port.garble = garble


def brown_out(at_ns: int) -> Act:
    """Get an act that browns a chip out so long from now."""
    return lambda rig: rig.clock.at(rig.clock.now_ns() + at_ns, rig.chip.reset)


RAIL_UP, RAIL_DOWN = on_chip("saturate", "saturate", 1, back=(0,)), on_chip("saturate", "saturate", -1, back=(0,))
UNPLUG, STOP = on_chip("unplug", "plug"), on_chip("stop", "go")
I2C_NOW_AND_THEN = Fault("bus error now and then", on_chip("nack_next", "", 2)["act"])
I2C_FOR_LONG = Fault(
    "bus dead for 2 s", on_chip("nack_next", "nack_next", 10**9, back=(0,))["act"], undo=lambda r: r.chip.nack_next(0)
)
FROZEN = Fault(
    "the same code for ever",
    lambda r: r.chip.stick(r.chip.true_code(r.clock.now_ns())),
    undo=lambda r: r.chip.stick(None),
    lasts_s=8.0,
    hidden="frozen",
)
HX: list[Fault] = [
    Fault("unplugged", **UNPLUG),
    Fault("unplugged in mid-word", in_word("unplug"), undo=lambda r: r.chip.plug()),
    Fault("data line stuck low", **on_chip("short_dout", "short_dout", False, back=(None,))),
    Fault("data line stuck high", **on_chip("short_dout", "short_dout", True, back=(None,))),
    Fault("brown-out between two words", brown_out(30_000_000)),
    Fault("brown-out in mid-word", in_word("reset")),
    Fault("torn read", toggle, settle_signal),
    Fault("input above the upper rail", **RAIL_UP),
    Fault("input below the lower rail", **RAIL_DOWN),
    Fault("oscillator stopped", **STOP),
    FROZEN,
]
FAULTS: dict[type, list[Fault]] = {
    NauRig: [
        Fault("unplugged", **UNPLUG),
        I2C_NOW_AND_THEN,
        I2C_FOR_LONG,
        Fault("brown-out", brown_out(30_000_000)),
        Fault("gain changed behind our back", lambda r: r.chip.poke(0x01, 0x2C)),
        Fault("torn read", toggle, settle_signal),
        Fault("input above the upper rail", **RAIL_UP),
        Fault("input below the lower rail", **RAIL_DOWN),
        Fault("oscillator stopped", **STOP),
        FROZEN,
    ],
    HxRig: [
        Fault("pulse stretched to 55 µs", lambda r: r.pins.preempt(55_000, pulse=7)),
        Fault("pulse stretched to 5 ms", lambda r: r.pins.preempt(5_000_000, pulse=20)),
        *HX,
    ],
    HxSpiRig: [
        Fault("controller pauses for 5 ms in a word", lambda r: r.port.stretch(5_000_000, after_byte=4)),
        Fault("controller pauses for 40 ms in a word", lambda r: r.port.stretch(40_000_000, after_byte=4)),
        Fault("port fails once", lambda r: r.port.fail_next(1)),
        Fault("port dead for 2 s", lambda r: r.port.fail_next(10**9), undo=lambda r: r.port.fail_next(0)),
        Fault("one bit damaged on the wire", flip),
        *HX,
    ],
    RtdRig: [
        Fault("unplugged, line low", **on_chip("unplug", "plug", 0)),
        Fault("unplugged, line high", **on_chip("unplug", "plug", 1)),
        Fault("thermometer open", **on_chip("open_rtd", "mend")),
        Fault("thermometer shorted", **on_chip("short_rtd", "mend")),
        Fault("overvoltage", **on_chip("overvoltage", "mend")),
        Fault("brown-out", brown_out(30_000_000)),
        Fault("one bit damaged on the wire", flip),
        Fault(
            "wrong reference resistor set",
            lambda r: setattr(r.chip, "ref_ohm", 400.0),
            undo=lambda r: setattr(r.chip, "ref_ohm", 430.0),
            hidden="wrong reference",
        ),
        Fault(
            "a wire shorted that moves no code",
            lambda r: r.chip.short_wire(0x18),
            lambda r: r.chip.mend(),
        ),
        replace(FROZEN, hidden="never"),
    ],
    MprRig: [
        Fault("unplugged", **UNPLUG),
        I2C_NOW_AND_THEN,
        I2C_FOR_LONG,
        Fault("brown-out in mid-conversion", brown_out(202_000_000)),
        Fault("stays busy", **STOP),
        Fault("pressure above its range", **RAIL_UP),
        Fault(
            "its memory damaged",
            lambda r: setattr(r.chip, "status_bits", 0x04),
            undo=lambda r: setattr(r.chip, "status_bits", 0),
        ),
        FROZEN,
    ],
    AdsRig: [
        Fault("unplugged", **UNPLUG),
        I2C_NOW_AND_THEN,
        I2C_FOR_LONG,
        Fault("brown-out in mid-conversion", brown_out(204_000_000)),
        Fault("stays busy", **STOP),
        Fault("input above its range", **RAIL_UP),
        Fault(
            "input below ground",
            lambda r: setattr(r.chip, "volts", lambda c, t: -0.05),
            undo=lambda r: setattr(r.chip, "volts", lambda c, t: 1.5),
        ),
    ],
}
NOTES = {
    "frozen": "a frozen code is told from a steady one only after 49 repeats",
    "wrong reference": "a wrong setting, which no chip can see: `halfpercent doctor` shows the resistance it makes "
    "of the code, and the certificate must agree with the setting",
    "never": "a MAX31865 whose registers stay right but whose converter has stopped cannot be told from a steady "
    "temperature: its noise is half a code",
}
MARKS = dict(zip(NOTES, "¹²³", strict=True))


def act_out(make: type, fault: Fault) -> Outcome:
    """Act one fault out on a rig of its own."""
    rig = make()
    rig.late_s = 0.0
    rig.driver.open()
    for _ in range(15):
        read_one(rig)
    seen: list[Any] = []
    false = 0

    def read_until(end_ns: int, until_ok: bool) -> Any:
        nonlocal false
        while rig.clock.now_ns() < end_ns:
            sample = read_one(rig)
            seen.append(sample)
            if sample.status is Status.OK:
                false += abs(sample.code - truth(rig, sample)) > TOLERANCE[make]
                if until_ok:
                    return sample
        return None

    fault.act(rig)
    read_until(rig.clock.now_ns() + round(fault.lasts_s * NS_PER_S), until_ok=False)
    fault.undo(rig)
    end_ns = rig.clock.now_ns()
    never_stopped = all(s.status is Status.OK for s in seen)
    good = read_until(end_ns + round(HEALS_WITHIN_S * NS_PER_S), until_ok=True)
    if fault.undo is nothing and good is not None:
        bad = [s for s in seen if s.status is not Status.OK]
        end_ns = bad[0].t_ns if bad else 0
        good = next((s for s in seen if s.status is Status.OK and bad and s.t_ns > bad[-1].t_ns), good)
    heals_s = None if good is None else 0.0 if never_stopped else (good.t_ns - end_ns) / NS_PER_S
    rig.driver.close()
    return Outcome(names(seen), false, heals_s)


def read_one(rig: Any) -> Any:
    """Read a bridge as the station does, a probe five times a second."""
    if isinstance(rig, NauRig | HxRig | HxSpiRig):
        rig.clock.sleep_s(rig.late_s)
        return rig.driver.read(rig.clock.now_ns() + NS_PER_S // 2)
    rig.clock.sleep_s(0.2)
    return rig.driver.read()


def truth(rig: Any, sample: Any) -> int:
    """Get the nearest code that was true about when a sample was taken."""
    if isinstance(rig, MprRig | AdsRig):
        code = rig.chip.true_code(sample.t_ns)
        return code >> 8 if isinstance(rig, MprRig) else code + 0x8000
    if isinstance(rig, RtdRig):
        return round(146.068 / 430.0 * 32768)
    near = (rig.chip.true_code(sample.t_ns - ms * 1_000_000) for ms in (0, 5, 55))
    return min(near, key=lambda code: abs(code - sample.code))


def rows() -> Iterator[tuple[str, Fault, Outcome]]:
    """Act out everything."""
    for make, faults in FAULTS.items():
        for fault in faults:
            yield NAMES[make], fault, act_out(make, fault)


def rendered(table: list[tuple[str, Fault, Outcome]]) -> str:
    """Get docs/faults.md."""
    lines = [
        "# Faults, acted out",
        "",
        "Made by `python tests/helpers/fault_scripts.py --write` from a run of the real drivers on the chip models;",
        "`make test` runs it again and compares. Do not edit.",
        "",
        "Each fault begins while the driver reads good samples and lasts 2 s (8 s where a code is frozen) or happens",
        "once. *Statuses* are those of the samples from its beginning until the first number after its end, each named",
        "once per run of it. A *false number* is a sample called `OK` whose code is off by more than 8 sigma of the",
        "chip's noise. *Numbers again after* counts from the fault's end, or from the first sample that was none where",
        "the fault happened once; 0 means that they never stopped. Times are simulated, at 10 samples a second; probes",
        "and gauges are read every 0.2 s.",
    ]
    previous = ""
    for driver, fault, outcome in table:
        if driver != previous:
            lines += ["", f"## {driver}", "", "| fault | statuses | false numbers | numbers again after |"]
            lines += ["|---|---|---|---|"]
            previous = driver
        after = "never" if outcome.heals_s is None else f"{outcome.heals_s:.1f} s"
        false = f"{outcome.false} {MARKS.get(fault.hidden, '')}".strip()
        lines.append(f"| {fault.name} | {', '.join(outcome.statuses)} | {false} | {after} |")
    for key, note in NOTES.items():
        lines += ["", f"{MARKS[key]} {note[0].upper()}{note[1:]}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = rendered(list(rows()))
    if "--write" in sys.argv:
        DOC.write_text(text, encoding="utf-8")
    else:
        print(text)
