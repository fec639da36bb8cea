"""A calibration that is being made: what each step has read so far, kept through Ctrl-C and power cuts.

One JSON file a calibration, beside the database, written by the machine and replaced whole. This module must never
lose what was read before it has what replaces it, and never write over a certificate.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from calibration import certificate as cal
from calibration.bounded_file import NotReadable, read_regular_file
from calibration.calibration_record import Air, Point, PressureRecord, RtdCheck, SelfHeating, ThermometerPlace, Weight
from calibration.weights import ASSUMED_AIR
from edge.errors import BadValue, CalibrationRefused
from edge.records.durable_file import sync_folder, write_beside
from hw.rtc import EARLIEST_S

from .readings import Readings

Minute = tuple[float, float, float, float | None, float | None]
"""Seconds since the piece's start, mean code, noise of single samples, cell and oven in °C (None: not known)."""

MOST_BYTES = 16 << 20
"""Of a calibration: three days of minutes are some 400 kB."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every part of a session has in common."""


class Piece(_Kept, frozen=True, kw_only=True):
    """Minutes that were read without a power-up in between; ``t0_ns`` is the boot clock's at their start."""

    boot_id: str
    t0_ns: int
    wall_s: float
    minutes: tuple[Minute, ...] = ()
    air_pa: tuple[float | None, ...] = ()
    """The room's pressure in each of the minutes, by the barometer (none: there is none, or it said nothing)."""


class Series(_Kept, frozen=True, kw_only=True):
    """Hours of warming and cooling with one load on (None: the empty holder)."""

    weight: Weight | None
    pieces: tuple[Piece, ...] = ()

    @property
    def hours(self) -> float:
        """Get how much was recorded."""
        return sum(len(p.minutes) for p in self.pieces) / 60.0

    def readings(self) -> tuple[Readings, np.ndarray]:
        """Get the minutes on one time axis, and the number of the piece that each is from.

        Within one boot times are the boot clock's; after another boot the wall clock says how long the gap was, but
        never that a piece came before the one before it; where a clock was not set, nothing says it.
        """
        rows: list[tuple[float | None, ...]] = []
        which: list[int] = []
        end_s = 0.0
        for i, piece in enumerate(self.pieces):
            first = self.pieces[0]
            same = piece.boot_id == first.boot_id
            dated = min(piece.wall_s, first.wall_s) >= EARLIEST_S
            begin_s = (piece.t0_ns - first.t0_ns) / 1e9 if same else piece.wall_s - first.wall_s if dated else end_s
            begin_s = max(begin_s, end_s)
            rows += [(begin_s + t_s, *rest) for t_s, *rest in piece.minutes]
            which += [i] * len(piece.minutes)
            if piece.minutes:
                end_s = begin_s + piece.minutes[-1][0] + 60.0
        table = np.array(rows, np.float64).reshape(-1, 5)  # None becomes NaN
        each = [p.air_pa if len(p.air_pa) == len(p.minutes) else (None,) * len(p.minutes) for p in self.pieces]
        air_pa = np.array([pa for of in each for pa in of], np.float64)
        read = air_pa if np.any(np.isfinite(air_pa)) else None
        t_s, code, sd_code, cell_c, oven_c = (table[:, i].copy() for i in range(5))
        return Readings(t_s, code, sd_code, cell_c, oven_c, read), np.array(which, np.float64)


class Curve(_Kept, frozen=True, kw_only=True):
    """A sensor's own Callendar-Van Dusen coefficients, from its calibration sheet."""

    probe: ThermometerPlace
    r0_ohm: float
    a_per_k: float
    b_per_k2: float
    u_c: float


class Session(_Kept, frozen=True, kw_only=True):
    """All that was read.

    ``begun_clock_set``: the clock that gave ``begun`` was set (None: not known). ``oven_rtd`` and ``cell_rtd`` (None:
    no thermometer on the cell) are as the settings say.
    """

    format: Literal[1] = 1
    name: str
    made_by: str
    begun: dt.date
    begun_clock_set: bool | None = None
    cell: cal.Cell
    bridge: cal.BridgeChip
    oven_rtd: cal.Rtd
    cell_rtd: cal.Rtd | None = None
    valid_months: int = 12
    air: Air = ASSUMED_AIR
    tare: Point | None = None
    weights: tuple[Weight, ...] = ()
    points: tuple[Point, ...] = ()
    empty: Series | None = None
    loaded: Series | None = None
    rtd_checks: tuple[RtdCheck, ...] = ()
    curves: tuple[Curve, ...] = ()
    pressure: PressureRecord | None = None
    mount: str | None = None
    self_heating: tuple[SelfHeating, ...] = ()
    placings: tuple[Point, ...] = ()
    returned: Series | None = None

    def with_piece(self, loaded: bool, number: int, piece: Piece) -> Session:
        """Get the session with ``piece`` as the ``number``-th (from 0) and last of a series."""
        series = self.loaded if loaded else self.empty
        assert series is not None  # it was begun before it was read
        series = msgspec.structs.replace(series, pieces=(*series.pieces[:number], piece))
        return msgspec.structs.replace(self, **{"loaded" if loaded else "empty": series})


def plan(weights: tuple[Weight, ...]) -> list[tuple[float, bool]]:
    """Get the masses to put on, in order, and whether each is on the way up: 0, up, down again, 0."""
    up = [0.0, *sorted(w.mass_g for w in weights)]
    return [*((m, True) for m in up), *((m, False) for m in up[-2::-1])]


def steps_done(points: tuple[Point, ...]) -> int:
    """Get how many steps of :func:`plan` are done: each later piece began with an empty holder beside the plan."""
    return max(0, len(points) - len({p.piece for p in points}) + 1) if points else 0


def session_path(folder: Path, name: str) -> Path:
    """Get where the calibration ``name`` is kept. Raises ``BadValue`` for a name that no such file may have."""
    if not NAME.fullmatch(name):
        raise BadValue("name", repr(name), "use letters, digits, dots, dashes and underscores, at most 60")
    return folder / "calibration" / f"{name}.session.json"


def load_session(path: Path) -> Session | None:
    """Get the session at ``path``; None where there is none. Raises ``CalibrationRefused`` for another file."""
    if not path.exists():
        return None
    try:
        data = read_regular_file(path, MOST_BYTES)
    except NotReadable as e:
        raise CalibrationRefused(f"{path}: {e}: move it away, and begin again with tare") from e
    try:
        return msgspec.json.decode(data, type=Session)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise CalibrationRefused(
            f"{path}: is no calibration of ours ({e}): move it away, and begin again with tare"
        ) from e


def save_session(path: Path, session: Session) -> None:
    """Write the session: whole or not at all, also where the power is cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = write_beside(path, msgspec.json.encode(session))
    beside.replace(path)
    sync_folder(path.parent)


def write_certificate(folder: Path, name: str, certificate: cal.Certificate) -> Path:
    """Write a certificate into ``folder``/certificates under a name that is not taken; get its path."""
    folder = folder / "certificates"
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name}-{certificate.made_at.isoformat()}"
    beside = write_beside(folder / stem, cal.to_toml(certificate).encode())
    try:
        for i in range(1, 1000):
            path = folder / (f"{stem}.toml" if i == 1 else f"{stem}-{i}.toml")
            try:
                os.link(beside, path)  # unlike a rename it never takes the place of another
            except FileExistsError:
                continue
            sync_folder(folder)
            return path
    finally:
        beside.unlink()
    raise BadValue("name", name, f"{folder} holds 999 certificates called {stem}: choose another")
