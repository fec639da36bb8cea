"""``halfpercent calibrate temperature --from FILE``: a night that was recorded, instead of one that is waited for.

Without chips. A calibration of that name that was begun takes the codes as its night; else it is only said what was
found. This module must never open a device.
"""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from edge.errors import BadRecording, NoCertificate

from .options import user_db
from .say import say, say_json

if TYPE_CHECKING:
    from edge.guided_calibration.session import Session

    from .calibration_bench import BenchOptions


def calibrate_from(file: Path, columns: str, weight_text: str | None, as_json: bool, options: BenchOptions) -> None:
    """Find what temperature does in a recorded night, keep it where a calibration was begun, and say it."""
    from calibration.errors import BadFit
    from calibration.weights import parse_weight
    from edge.guided_calibration.recorded import find_in_night, lines_of, readings_from, told, with_recorded_night
    from edge.guided_calibration.session import load_session, save_session, session_path
    from edge.replay.columns import parse_columns
    from edge.replay.recording import read

    if options["seed"] is not None:
        raise click.UsageError("--simulate measures a night, and --from reads one: give one of them")
    weight = None if weight_text is None else parse_weight(weight_text)
    folder = _folder(options)
    path = session_path(folder, options["name"])
    session = load_session(path)
    mapping = parse_columns(columns)
    try:
        recording = read(file, columns=mapping, use_counts=session is not None)
    except NoCertificate:  # it has nothing but codes
        recording = read(file, columns=mapping, use_counts=True)
    of = readings_from(recording.frames, recording.gate)
    codes = recording.quantity == "counts"
    try:
        night = told(find_in_night(of, "code" if codes else "g"), recording.read_as)
    except BadFit as e:
        raise BadRecording(f"{file}: {e}") from e
    why_not = _why_not_kept(session, codes, options["name"])
    if session is not None and not why_not:
        session = with_recorded_night(session, of, file.name, weight, time.time())
        save_session(path, session)
        made, why_not = _certificate(session, folder)
        night = msgspec.structs.replace(night, certificate=made)
    if as_json:
        say_json(msgspec.to_builtins(night))
        return
    for line in lines_of(night):
        say(line)
    if night.certificate is not None:
        say(f"Certificate: {night.certificate}")
    if why_not:
        say(why_not)


def _why_not_kept(session: Session | None, codes: bool, name: str) -> str:
    """Say why a recording is no calibration's night ('' where it is)."""
    if not codes:
        return "No certificate: it holds grams, and a certificate turns codes into them."
    if session is None:
        return f"No certificate: no calibration called {name} was begun: halfpercent calibrate tare, then span."
    return ""


def _certificate(session: Session, folder: Path) -> tuple[str | None, str]:
    """Write the certificate of a calibration that has a span; get its path, or why there is none yet."""
    from edge.guided_calibration.certify import certify, span_done
    from edge.guided_calibration.session import write_certificate
    from hw.clock_sync import clock_is_set

    if not span_done(session):
        return None, "Kept. Next: halfpercent calibrate span --weight 100:F1 --weight 200:F1"
    made = certify(session, dt.datetime.now(dt.UTC).date(), clock_is_set())
    return str(write_certificate(folder, session.name, made.certificate).resolve()), ""


def _folder(options: BenchOptions) -> Path:
    """Get where calibrations are kept: beside the database that was named, the settings', or the person's own."""
    from edge.instrument.config import config_path, load_config

    if options["db"] is not None:
        return options["db"].parent
    file = config_path(options["config_file"])
    if options["config_file"] is not None or file.exists():
        return Path(load_config(file).storage.database).parent
    return user_db().parent
