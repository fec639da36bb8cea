"""Frames to bytes and back: what a chunk of raw samples looks like in the database.

Version 2 is for what the chips give. Nearly all of a chunk is noise, so each column is told as its difference from
what was to be expected: codes from their running mean, times from an even pace, all else from the value before.
An adaptive range coder (``rangecoder.py``) makes bits of the differences. Version 1
(``codec1.py``) is kept for a replay's doubles, and is read for ever.
A blob must give back every raw number exactly, say which version it is, and be refused where it is damaged.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import BadDatabase
from edge.records.frame import Channel, Frames
from hw.compiled import call, compiled

from . import codec_v1
from . import range_coder as rc
from .codec_v1 import columns_of

VERSION = 2
MAX_SAMPLES = 1 << 22  # more than an hour at a thousand a second; a blob that claims more is not believed
MAX_FRAMES = 1 << 16

_I8 = npt.NDArray[np.int64]

_SLOW = ("<u2", "|u1", "|u1") * 3  # value, fault and status of the oven's probe, the cell's, the gauge
_BY_CHIPS = ("<i8", "<i8", "<i8", "<i4", "<i4", "|u1", *_SLOW)
"""The types of the columns that the station makes, in the order of :func:`edge.database.codec_v1.columns_of`."""


def encode(frames: Frames) -> bytes:
    """Pack frames into a blob that :func:`decode` gives back exactly. Raise ``ValueError`` where they are too many."""
    return _encode(frames) if _is_of_chips(frames) else codec_v1.encode(frames)


def decode(blob: bytes) -> Frames:
    """Get the frames of a blob. Raise :class:`BadDatabase` where it is damaged or of a newer version."""
    try:
        version: Any = blob[0]
        if version == VERSION:
            return _decode(blob)
        if version == codec_v1.FIRST_BYTE:
            return codec_v1.decode(blob)
        if not VERSION < version < 32:
            raise ValueError("it is none")
    except codec_v1.Newer as e:
        version = e.args[0]
    except (zlib.error, ValueError, LookupError, TypeError, OverflowError, RecursionError) as e:
        raise BadDatabase(f"a chunk of raw samples is damaged ({e}): restore the database from a backup") from e
    raise BadDatabase(
        f"a chunk of raw samples has version {version}, this halfpercent reads {VERSION}: update halfpercent"
    )


# Version 2: the version, the numbers of frames and samples (LEB128), what the range coder made, a CRC-32 of it all.

_FIRST, _SEQ, _T, _COUNT, _VALUE, _FAULT, _CHANNEL_STATUS, _STATUS, _CODE, _TIME = range(10)  # families of numbers
_PLACES = 4  # how near a sample's time is to a change of its last digit, in quarters: there, one more is no surprise
_FAMILIES = _TIME + _PLACES
_MEAN = 5  # codes are told from the mean of about 2⁵ before
_PHASE = 6  # and times from a beat that each one moves by 2⁻⁶ of what it is off
_FINE = 8  # bits: both are kept in 1/256 of a code, of a µs
_FARTHEST = 3 << 59  # grains: no beat is so far from its frame, whose times are within ±2⁶¹ ns


def _is_of_chips(frames: Frames) -> bool:
    """Say whether version 2 holds these frames: the station's types, seconds since the start, a clock since a boot."""
    return (
        tuple(column.dtype.str for _, column in columns_of(frames)) == _BY_CHIPS
        and len(frames) <= MAX_FRAMES
        and len(frames.code) <= MAX_SAMPLES
        and _plausible(frames)
    )


def _plausible(frames: Frames) -> bool:
    seq, t_ns, first = (np.asarray(column, np.int64) for column in (frames.seq, frames.t_ns, frames.first))
    return bool(
        first[0] == 0
        and first[-1] == len(frames.code)
        and np.all(first[1:] >= first[:-1])
        and np.all((seq >= 0) & (seq < 1 << 32))
        and np.all((t_ns > -(1 << 61)) & (t_ns < 1 << 61))
    )


def _encode(frames: Frames) -> bytes:
    n_frames, n = len(frames), len(frames.code)
    out = np.empty(rc.MOST_BYTES * (12 * n_frames + 3 * n + 2) + 16, np.uint8)
    coder = rc.encoder()
    if call(_walk, coder, out, rc.contexts(_FAMILIES), *_as_walked(frames)) == 0:
        raise ValueError("its numbers do not fit their columns")  # they are plausible: it never comes to that
    body = bytes([VERSION]) + _leb128(n_frames) + _leb128(n) + rc.written(coder, out)
    return body + zlib.crc32(body).to_bytes(4, "little")


def _decode(blob: bytes) -> Frames:
    body, crc = blob[:-4], blob[-4:]
    if len(blob) < 8 or zlib.crc32(body) != int.from_bytes(crc, "little"):
        raise ValueError("its checksum is wrong")
    n_frames, at = _from_leb128(body, 1)
    n, at = _from_leb128(body, at)
    if n_frames > MAX_FRAMES or n > MAX_SAMPLES:
        raise ValueError("it claims too much")
    data = np.frombuffer(bytearray(body), np.uint8, offset=at)
    coder = rc.decoder(data)
    columns = (np.empty(n_frames, "<i8"), np.empty(n_frames, "<i8"), np.zeros(n_frames + 1, "<i8"),
               np.empty((n_frames, 9), "<i8"), np.empty(n, "<i8"), np.empty(n, "<i4"), np.empty(n, "u1"))  # fmt: skip
    unit = call(_walk, coder, data, rc.contexts(_FAMILIES), *columns, 0, 0)
    if unit == 0 or rc.used(coder) < len(data):
        raise ValueError("its numbers do not fit their columns")
    seq, t_ns, first, slow, sample_units, code, status = columns
    sample_us = (sample_units * unit).astype("<i4")
    parts = [slow[:, i].astype(kind) for i, kind in enumerate(_SLOW)]
    channels = [Channel(*parts[i : i + 3]) for i in (0, 3, 6)]
    return Frames(seq, t_ns, first, sample_us, code, status, *channels)  # plausible: the walk has seen to it


def _as_walked(frames: Frames) -> tuple[Any, ...]:
    """Get what :func:`_walk` takes of frames: copies of the columns, the channels' as one table; unit and pace."""
    slow = np.array([column for name, column in columns_of(frames) if "." in name], "<i8").T
    unit, pace = _pace(frames)
    units = frames.sample_us.astype("<i8") // unit
    whole = map(np.array, (frames.seq, frames.t_ns, frames.first))
    return *whole, np.array(slow, order="C"), units, np.array(frames.code), np.array(frames.status), unit, pace


def _pace(frames: Frames) -> tuple[int, int]:
    """Get the unit (µs) that all sample times are multiples of, and the time between samples (1/256 µs; 0: unknown)."""
    t_ns, in_frame_us = np.asarray(frames.t_ns, np.int64), np.asarray(frames.sample_us, np.int64)
    t_us = np.repeat((t_ns - t_ns[:1]) // 1000, np.diff(frames.first)) + in_frame_us
    unit = int(np.gcd.reduce(in_frame_us)) or 1
    steps = np.diff(t_us)
    rising = np.sort(steps[steps > 0])
    if len(rising) == 0:
        return unit, 0
    median = rising[len(rising) // 2]
    beats = np.concatenate(([0], np.cumsum((2 * steps + median) // (2 * median))))  # one that nobody read is two beats
    half = (len(t_us) + 1) // 2
    n_beats = int(np.sum(beats[-half:]) - np.sum(beats[:half]))
    n_us = int(np.sum(t_us[-half:]) - np.sum(t_us[:half]))
    pace = (n_us << _FINE) // n_beats if n_beats > 0 else 0
    return unit, pace if 0 <= pace < 1 << 40 else 0


@compiled
def _walk_samples(
    coder: _I8, data: rc.U1, known: _I8, begin: int, end: int, start: int, unit: int, pace: int,
    sample_units: _I8, code: Any, status: Any, memory: _I8,
) -> bool:  # fmt: skip
    """Code, or fill, the samples of one frame. False where a decoded number does not fit its column.

    What is decoded is held against its bounds before it is added, here and in :func:`_walk`: no sum overflows.

    ``start`` is the frame's begin in fine grains; ``memory`` holds from frame to frame: the last status, the beat, and
    the codes' running mean with its count and spread.
    """
    grain = unit << _FINE
    half = 1 << _FINE - 1
    status_before, beat, mean, n_mean, spread = memory[0], memory[1], memory[2], memory[3], memory[4]
    for i in range(begin, end):
        step = rc.number(coder, data, known, _STATUS, np.int64(status[i]) - status_before)
        if not -status_before <= step <= 0xFF - status_before:
            return False
        status_before += step
        status[i] = status_before

        if abs(beat - start) >= _FARTHEST:
            return False
        quarters = (_PLACES * (beat - start) + 2 * grain) // grain
        units = quarters // _PLACES
        step = rc.number(coder, data, known, _TIME + quarters % _PLACES, sample_units[i] - units)
        if not -(1 << 31) - units <= step < (1 << 31) - units:
            return False
        units += step
        if not -(1 << 31) <= units * unit < 1 << 31:
            return False
        sample_units[i] = units
        off = start + units * grain - beat
        if i and 2 * abs(off) > pace > 0:
            missed = (2 * off + pace) // (2 * pace)
            off -= missed * pace
            beat += missed * pace
        if pace:
            off = off >> _PHASE if i >> _PHASE else off // (i + 1)
        beat += off + pace

        expected = mean + half >> _FINE
        off = rc.number(coder, data, known, _CODE * min(i, 1), np.int64(code[i]) - expected)
        if not -(1 << 31) - expected <= off < (1 << 31) - expected:
            return False
        code[i] = expected + off
        if n_mean and i >> _MEAN and abs(off) > 16 * spread >> _FINE:
            n_mean = 0  # a glitch leaves the mean where it is; the next code says whether it was a step
        else:
            n_mean += 1
            mean += off << _FINE - _MEAN if n_mean >> _MEAN else (off << _FINE) // n_mean
            if n_mean > 1:
                spread += (abs(off) << _FINE) - spread >> _MEAN
    memory[0], memory[1], memory[2], memory[3], memory[4] = status_before, beat, mean, n_mean, spread
    return True


@compiled
def _walk(
    coder: _I8, data: rc.U1, known: _I8, seq: _I8, t_ns: _I8, first: _I8, slow: _I8,
    sample_units: _I8, code: Any, status: Any, unit: int, pace: int,
) -> int:  # fmt: skip
    """Code all columns, or fill them: one walk for both, so that they cannot differ.

    ``slow`` has shape (F, 9), ``sample_units`` the sample times in ``unit`` µs, ``pace`` is in 1/256 µs. Returns the
    unit, or 0 where a decoded number does not fit its column.
    """
    unit = rc.number(coder, data, known, _FIRST, unit)
    pace = rc.number(coder, data, known, _FIRST, pace)
    if not (0 < unit <= 1 << 31 and 0 <= pace < 1 << 40):
        return 0
    seq_before, t_before, count_before = -1, 0, 0
    slow_before = np.zeros(9, np.int64)
    memory = np.zeros(5, np.int64)
    for f in range(len(seq)):
        usual = min(f, 1)  # 0: family _FIRST, of all that nothing is known of before
        expected = seq_before + 1
        step = rc.number(coder, data, known, _SEQ * usual, seq[f] - expected)
        if not -expected <= step < (1 << 32) - expected:
            return 0
        seq[f] = expected + step
        expected = t_before + (seq[f] - seq_before) * 1_000_000_000
        step = rc.number(coder, data, known, _T * usual, t_ns[f] - expected)
        if not -(1 << 61) - expected < step < (1 << 61) - expected:
            return 0
        t_ns[f] = expected + step
        step = rc.number(coder, data, known, _COUNT * usual, first[f + 1] - first[f] - count_before)
        if not -count_before <= step <= len(code) - first[f] - count_before:
            return 0
        count = count_before + step
        first[f + 1] = first[f] + count
        for i in range(9):
            family = (_VALUE + i % 3) * usual
            step = rc.number(coder, data, known, family, slow[f, i] - slow_before[i])
            if not -slow_before[i] <= step <= (0xFFFF if i % 3 == 0 else 0xFF) - slow_before[i]:
                return 0
            slow_before[i] += step
            slow[f, i] = slow_before[i]
        seq_before, t_before, count_before = seq[f], t_ns[f], count
        start = (t_ns[f] - t_ns[0]) // 1000 << _FINE
        if not _walk_samples(
            coder, data, known, first[f], first[f + 1], start, unit, pace, sample_units, code, status, memory
        ):  # fmt: skip
            return 0
    return unit if first[-1] == len(code) else 0


def claimed_samples(blob: bytes) -> int | None:
    """Get how many samples the first bytes of a blob claim; None where it is of another version, or none."""
    try:
        return _from_leb128(blob, _from_leb128(blob, 1)[1])[0] if blob[0] == VERSION else None
    except (LookupError, ValueError):
        return None


def _leb128(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _from_leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 35, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("it has no length")
