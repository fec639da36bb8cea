"""Whether the rig is still set as it was when a run began: by what its devices say of themselves.

Only what makes codes counts: chip, gain, rate, channel, excitation, wires, reference resistors. Pins and addresses may
change, and so may whatever the next run goes by. This module must never open a device.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Devices = Mapping[str, Mapping[str, str | int | float]]
"""What each device says of itself, by its name on the instrument."""

NO_MATTER = frozenset(
    {"address", "sck_pin", "dout_pin", "clocked_by", "own_process", "real_time", "ocal", "gcal", "pga", "revision"}
)
"""What may differ: where a chip is wired and who clocks it, and its registers, which are a matter of their own."""
AIDS = frozenset({"barometer"})
"""Devices that may come and go in a run: each of their readings says what it is of."""


def differences(then: Devices, now: Devices) -> list[str]:
    """Get one phrase for each difference that makes other codes: what is so now, what was, and by how much."""
    return list(_differences(then, now))


def _differences(then: Devices, now: Devices) -> Iterator[str]:
    for device in {**then, **now}:
        if device in AIDS:
            continue
        if device not in now:
            yield f"{device}: not there, was fitted"
        elif device not in then:
            yield f"{device}: fitted, was not there"
        else:
            was, is_ = then[device], now[device]
            for name in was.keys() & is_.keys() - NO_MATTER:
                if was[name] != is_[name]:
                    yield f"{device}: {name} is {is_[name]}, was {was[name]}{_by(was[name], is_[name])}"


def _by(was: str | int | float, is_: str | int | float) -> str:
    if isinstance(was, str) or isinstance(is_, str) or not was:
        return ""
    return f" ({100.0 * (is_ / was - 1.0):+.3g} %)"
