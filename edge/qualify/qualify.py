"""All checks in their order, each told as it is made, and the record of them, signed by the rig's key.

Published references, two stored runs computed anew, nights of the simulated rig through the real drivers, and the look
that the doctor takes at machine and chips. This module must never leave out a check that failed.
"""

from __future__ import annotations

import datetime
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

from edge.doctor.finding import Finding
from edge.doctor.machine import examine, pi_model
from edge.errors import BadEvidence
from edge.records.durable_file import new_file
from edge.seal.key import RigKey, find_key, seal_folder
from edge.seal.sshsig import sign
from edge.seal.versions import versions_here
from hw.clock_sync import clock_is_set

from .acted_night import Acted, act
from .record import Check, Qualification, State, is_qualified
from .references import references
from .stored_runs import stored_runs

NIGHTS = (
    ("quiet", "nau7802"),
    ("quiet", "hx711"),
    ("restart-in-hold-fail", "hx711"),
    ("power-cut-in-hold", "nau7802"),
    ("dropped-sample", "hx711"),
    ("drifting-zero", "nau7802"),
    ("thermometer-unplugged", "hx711"),
    ("balance", "nau7802"),
)
"""The nights, each with its bridge, that are acted out; ``quick`` takes the first."""
SEED = 1
Tell = Callable[[Check], None]


def qualify(config: Path, database: Path, *, quick: bool, tell: Tell) -> Qualification:
    """Make all checks; ``tell`` is told each as it is made. ``database`` is that beside which the rig's key lies.

    ``quick``: references, stored runs and one night, for an installer; no chip is looked at.
    """
    checks = []
    for check in _checks(config, database, quick=quick):
        checks.append(check)
        tell(check)
    key = find_key(seal_folder(database))
    return Qualification(
        qualified=is_qualified(checks),
        quick=quick,
        made_utc=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        clock_set=clock_is_set(),
        machine=f"{pi_model() or 'no Raspberry Pi'}, {platform.machine()}",
        signed_by=None if key is None else key.name,
        fingerprint=None if key is None else key.public.fingerprint,
        versions=versions_here(),
        checks=tuple(checks),
    )


def _checks(config: Path, database: Path, *, quick: bool) -> Iterator[Check]:
    yield from references()
    yield from stored_runs()
    for name, bridge in NIGHTS[:1] if quick else NIGHTS:
        yield of_night(act(name, SEED, bridge))
    if not quick:
        for finding in examine(config, database):
            yield of_finding(finding)


def of_night(acted: Acted) -> Check:
    """Get what acting a night out came to."""
    judged = f", loss {acted.loss_pct:.3f} % ± {acted.U_pct:.3f} %" if acted.loss_pct is not None else ""
    true = "" if acted.true_loss_pct is None else f", true {acted.true_loss_pct:.3f} %"
    why = f" ({acted.why})" if acted.why else ""
    return Check(
        what=f"night {acted.night} on the {acted.bridge}",
        source="the night's own file",
        expected=f"{' or '.join(acted.accepted)}, never a confident wrong one",
        found=f"{acted.verdict or 'no result'}{judged}{true}{why}",
        state=State.OK if acted.as_promised else State.FAIL,
        do="" if acted.as_promised else "send this record with an issue",
    )


def of_finding(finding: Finding) -> Check:
    """Get what the doctor found, as a check."""
    home = str(Path("~").expanduser())
    return Check(
        what=finding.check,
        source="doctor",
        expected="",
        found=finding.found.replace(home, "~"),
        state=State(finding.state),
        do=finding.do.replace(home, "~"),
    )


def file_record(record: Qualification, database: Path, output: Path) -> RigKey | None:
    """Write a record into a new file, and its signature beside it; gives the key that signed (None: there is none).

    Raises ``BadInput`` where a file is there already, ``SealFailed`` where the key cannot sign.
    """
    key = find_key(seal_folder(database))
    if (None if key is None else key.public.fingerprint) != record.fingerprint:
        raise BadEvidence(f"{seal_folder(database)}: its key has changed meanwhile: qualify again")
    raw = record.to_bytes()
    if key is not None:
        signature = sign(raw, key.file)
        with new_file(output.with_name(f"{output.name}.sig")) as file:
            file.write(signature.to_text().encode())
    with new_file(output) as file:
        file.write(raw)
    return key
