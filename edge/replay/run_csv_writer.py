"""A stored run written as a CSV: raw samples as the chips gave them, and what was commanded at which second.

What is written can be replayed: it gives the run's verdict and its bits (:mod:`edge.replay.run_csv_judge`). This
module must never write a number that no chip gave.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import msgspec

from calibration.balance_certificate import BalanceCertificate
from calibration.certificate import to_toml
from calibration.weight_record import WeightRecord
from edge.database.connection import Database, parsed_rows
from edge.database.queries import (
    alarms_told,
    balance_masses,
    barometer_readings,
    converter_resets,
    rig_changed,
    run_number,
    stops_told,
    stored_certificate,
    stored_commands,
    stored_run,
    zeros_of_clocks,
)
from edge.database.reading import LONG_CPU_S, MOST_ROW_BYTES, open_readonly
from edge.database.stored_frames import frames_by_boot
from edge.errors import BadDatabase, BadInput
from edge.procedure.parameters import RunParameters
from edge.records.command import as_text
from edge.records.earlier_load import EarlierLoad
from edge.records.frame import TIME_US, Channel, Frames
from edge.records.result import from_json
from edge.records.run import RunKind
from edge.records.sample import Sample
from edge.records.specimen import SeenBefore, Specimen
from edge.records.suitability import Control
from hw.clock import NS_PER_S
from hw.protocols import Status

from .run_file import BETWEEN_COMMANDS, COLUMNS, MARK, SLOW, RunHead, TareBefore

_STATUS = tuple(status.name.lower() for status in Status)
_NO_READINGS = "," * (3 * len(SLOW) - 1)


def run_as_csv(path: Path, run: str) -> Iterator[str]:
    """Get the text of a stored run as a CSV, piece by piece. ``run`` is its number, or ``last``.

    Raises ``NoSuchRun``, ``BadDatabase`` (a chain is broken), and ``BadInput`` for a run that is itself of a recording.
    """
    with closing(open_readonly(path, cpu_s=LONG_CPU_S, most_bytes=MOST_ROW_BYTES)) as db:
        run_id = run_number(db, path, run)
        head = _head(db, path, run_id)
        yield f"{MARK}{msgspec.json.encode(head).decode()}\n"
        yield f"{','.join(COLUMNS)}\n"
        said: dict[int, list[str]] = {}
        for second, command in stored_commands(db, run_id):
            said.setdefault(second, []).append(as_text(command))
        zeros, t0_ns = zeros_of_clocks(db, run_id), stored_run(db, run_id).t0_ns
        for boot_id, frames in frames_by_boot(db, run_id):
            yield _rows(frames, zeros.get(boot_id, t0_ns), said, run_id)
        yield "".join(_only_commanded(second, said[second]) for second in sorted(said))


def run_as_parquet(path: Path, run: str, to: BinaryIO) -> None:
    """Write a stored run's rows as Parquet, its head in the schema's metadata. Raises as :func:`run_as_csv`.

    Raises ``BadInput`` where pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.csv as as_csv
        import pyarrow.parquet as pq
    except ImportError as e:
        raise BadInput("Parquet needs pyarrow, which is not installed: pip install pyarrow") from e
    pieces = run_as_csv(path, run)
    head, names = next(pieces), next(pieces)
    kinds = {c: pa.int64() for c in COLUMNS if c in ("second", "counts") or c.endswith(("_code", "_fault"))}
    kinds |= {"t_s": pa.float64()} | {c: pa.string() for c in COLUMNS if c == "command" or c.endswith("status")}
    schema = pa.schema([(c, kinds[c]) for c in COLUMNS], metadata={"halfpercent run": head.removeprefix(MARK).strip()})
    convert = as_csv.ConvertOptions(column_types=kinds, strings_can_be_null=True)
    with pq.ParquetWriter(to, schema) as writer:
        for piece in filter(None, pieces):
            table = as_csv.read_csv(pa.BufferReader((names + piece).encode()), convert_options=convert)
            writer.write_table(table.cast(schema))


def _head(db: Database, path: Path, run_id: int) -> RunHead:
    run = stored_run(db, run_id)
    if run.kind is RunKind.REPLAY:
        what = run.settings.get("recording", "the file that it was made from")
        raise BadInput(f"{path}: run {run_id} is of a recording and has no raw codes: share {what} itself")
    with parsed_rows(f"{path}: the settings of run {run_id}"):
        parameters, blank = RunParameters.from_settings(run.settings), run.settings["blank"]
        specimen = run.settings.get("specimen")
        plan = parameters.plan
        return RunHead(
            run_uid=run.run_uid,
            started_utc=run.started_utc,
            ended_utc=run.ended_utc,
            operator=run.operator,
            is_blank=run.kind is RunKind.BLANK or run.settings.get("blank_run") is True,
            is_simulated=run.kind is RunKind.SIMULATED,
            sample=Sample.from_settings(run.settings["sample"]),
            standard_toml=run.standard_toml,
            certificate_toml=to_toml(stored_certificate(db, run)),
            vacuum=parameters.vacuum,
            zero_after=plan.zero_after,
            check_weight_g=plan.check_weight_g or None,
            check_before=plan.check_before or msgspec.UNSET,
            mass_g=plan.declared_g or None,
            tare_before=TareBefore(run_id=plan.last_tare_run, tare_g=plan.last_tare_g) if plan.last_tare_run else None,
            blank=None if blank is None else from_json(blank),
            more_blanks=tuple(from_json(more) for more in run.settings.get("more_blanks", [])) or msgspec.UNSET,
            earlier_loads=msgspec.convert(run.settings.get("earlier_loads", []), tuple[EarlierLoad, ...])
            or msgspec.UNSET,
            specimen=None if specimen is None else Specimen.from_settings(specimen),
            seen_before=msgspec.convert(run.settings.get("seen_before", []), tuple[SeenBefore, ...]),
            stops=stops_told(db, run_id),
            alarms=alarms_told(db, run_id),
            resets=converter_resets(db, run_id),
            rig_changed=rig_changed(db, run_id),
            laboratory_balance=msgspec.convert(run.settings.get("laboratory_balance"), BalanceCertificate | None),
            contradiction=run.settings.get("contradiction", "invalid"),
            on_balance=balance_masses(db, run_id),
            barometer=barometer_readings(db, run_id),
            check_weight=msgspec.convert(run.settings.get("check_weight"), WeightRecord | None),
            suitability=msgspec.convert(run.settings.get("suitability"), Control | None),
        )


def _rows(frames: Frames, t0_ns: int, said: dict[int, list[str]], run_id: int) -> str:
    """Get the rows of some frames; what was commanded until then is taken out of ``said``."""
    if ((frames.t_ns - t0_ns) != frames.seq * NS_PER_S).any():
        raise BadDatabase(f"run {run_id}: its seconds do not begin on whole seconds: it cannot be written as a CSV")
    lines: list[str] = []
    first, counts, us = frames.first.tolist(), frames.code.tolist(), frames.sample_us.tolist()
    status = frames.status.tolist()
    readings = zip(*(_readings(getattr(frames, channel)) for channel in SLOW), strict=True)
    for at, (second, slow) in enumerate(zip(frames.seq.tolist(), readings, strict=True)):
        for before in sorted(s for s in said if s < second):
            lines.append(_only_commanded(before, said.pop(before)))
        told = f"{','.join(slow)},{BETWEEN_COMMANDS.join(said.pop(second, ()))}"
        start, stop = first[at], first[at + 1]
        if start == stop:
            lines.append(f"{second},{second}.000,,,{told}\n")
        for i in range(start, stop):
            ms = second * 1000 + us[i] // TIME_US
            t_s = f"{'-' if ms < 0 else ''}{abs(ms) // 1000}.{abs(ms) % 1000:03d}"
            lines.append(f"{second},{t_s},{counts[i]},{_STATUS[status[i]]},{told}\n")
            told = f"{_NO_READINGS},"
    return "".join(lines)


def _readings(of: Channel) -> list[str]:
    columns = zip(of.value.tolist(), of.fault.tolist(), of.status.tolist(), strict=True)
    return [f"{code},{fault},{_STATUS[status]}" for code, fault, status in columns]


def _only_commanded(second: int, words: list[str]) -> str:
    """Get the row of a second that nobody measured, and in which something was commanded all the same."""
    return f"{second},{second}.000,,,{_NO_READINGS},{BETWEEN_COMMANDS.join(words)}\n"
