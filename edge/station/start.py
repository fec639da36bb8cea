"""What a start asks for, made into all that a run goes by, or refused in one line before a sample is burnt.

This module must never begin a run, and never let one begin that could not be judged in the end.
"""

from __future__ import annotations

import datetime
import secrets
import time
from dataclasses import replace
from pathlib import Path

import msgspec

from calibration.balance_certificate import BalanceCertificate, load_balance
from calibration.certificate import Certificate, certificate_hash, load_certificate
from calibration.weight_record import WeightRecord, load_weight
from edge.control.protocol import Start
from edge.database.shown_runs import unaltered_result
from edge.database.specimens import masses_of_run, runs_with_serial
from edge.database.tares import last_tare
from edge.errors import BadInput, NoCertificate
from edge.instrument.config import Config
from edge.instrument.consistency import disagreements
from edge.procedure.definition import RunDefinition
from edge.procedure.last_tare import LastTare, with_last_tare
from edge.procedure.parameters import RunParameters, live_parameters, stability_g, with_declared_mass
from edge.records.result import Result
from edge.records.run import RunKind
from edge.records.sample import Sample, parse_air, parse_density
from edge.records.specimen import SeenBefore, Specimen, recognised, same_name, with_specimen
from edge.records.specimen_file import load_specimen
from edge.records.suitability import Control, RigShown
from edge.standards.standard import load_standard
from edge.uncertainty.blank import blank_from_result, check_same_rig

from .earlier_loads import earlier_loads
from .rig_shown import rig_shown

ASKED_BYTES = 64_000
"""Of a file that somebody names over the socket; ours have 8000."""


def definition_from_order(
    order: Start,
    config: Config,
    database: Path,
    *,
    simulated: bool = False,
    asked: bool = False,
    now_s: float | None = None,
) -> RunDefinition:
    """Get what a run is of and goes by. What the order leaves open, the settings say.

    ``asked``: the order came over the socket, so the files that it names are of at most ``ASKED_BYTES``, and are looked
    for behind no link of the asker's: the station may read more than he. A simulated rig has simulated runs, with a
    simulated certificate, and a real one has neither. ``now_s`` is the wall clock, in s since 1970 (None: the
    machine's). Raises ``BadInput`` and the errors of standards and certificates, one line each.
    """
    test = config.test
    path = order.certificate or test.certificate
    if path is None:
        raise NoCertificate(
            "no certificate of the load cell: make one with halfpercent calibrate, and name it in the settings, [test]"
        )
    if asked and order.standard is not None:
        standard = load_standard(order.standard, follow_links=False, most_bytes=ASKED_BYTES)
    else:
        standard = load_standard(order.standard or test.standard)
    if asked and order.certificate is not None:
        certificate = load_certificate(order.certificate, follow_links=False, most_bytes=ASKED_BYTES)
    else:
        certificate = load_certificate(path)
    for line in disagreements(config, "settings", certificate):
        raise BadInput(line)
    if simulated and not certificate.is_simulated:
        raise BadInput(
            f"certificate {certificate.name} is a real load cell's: a simulated one has its own: leave it out"
        )
    if certificate.is_simulated and not simulated:
        raise BadInput(f"certificate {certificate.name} is a simulated load cell's: name the real one's")
    weight = None if order.weight is None else _weight(order.weight, asked=asked)
    parameters = live_parameters(
        standard,
        certificate,
        stability_g=stability_g(certificate),
        vacuum=config.vacuum.fitted(),
        zero_after=order.zero_after,
        check_weight_g=order.check_weight_g if weight is None else weight.mass_g,
        check_before=order.check_before,
    )
    sample = Sample(
        order.sample,
        claim=order.claim,
        composition=order.composition,
        density_g_cm3=parse_density(order.density),
        air=parse_air(tuple(order.air.split(";")) if order.air else ()),
        opened_ago_s=order.opened_ago_s,
    )
    specimen = _specimen(order, asked=asked)
    if specimen is not None:
        sample = with_specimen(sample, specimen, datetime.datetime.now().astimezone(), mass_g=order.mass_g)
    is_blank = order.kind == "blank"
    kinds = (RunKind.SIMULATED,) if simulated else (RunKind.TEST, RunKind.BLANK)
    parameters = with_declared_mass(parameters, order.mass_g)
    void = _void_because(order, certificate)
    parameters = replace(parameters, plan=replace(parameters.plan, void_because=void))
    if not order.new_holder and not void:
        parameters = _with_last_tare(parameters, certificate, database, kinds)
    return RunDefinition(
        sample=sample,
        operator=order.operator,
        kind=RunKind.SIMULATED if simulated else RunKind.BLANK if is_blank else RunKind.TEST,
        standard=standard,
        certificate=certificate,
        parameters=parameters,
        blank=None if order.blank is None else _blank(order.blank, certificate, database),
        more_blanks=_more_blanks(order, certificate, database),
        is_blank=is_blank,
        specimen=specimen,
        seen_before=seen_before(specimen, database),
        laboratory_balance=_balance(order, config, asked=asked, simulated=simulated),
        contradiction=config.balance.contradiction,
        check_weight=weight,
        suitability=_control(order),
        rig_shown=_rig_shown(order, config, certificate, database, void),
        earlier_loads=()
        if simulated  # its cell is a new one
        else earlier_loads(
            database, certificate, kinds, time.time() if now_s is None else now_s, empty_s=order.empty_ago_s
        ),
    )


def _void_because(order: Start, certificate: Certificate) -> str:
    """Say why the certificate does not hold before a check weight has agreed: another mount, or a rig that was carried.

    Raises ``BadInput`` where no check weight is announced that could say otherwise.
    """
    why = ""
    if order.mount is not None and certificate.mount is not None and not same_name(order.mount, certificate.mount):
        why = f"certificate {certificate.name} is of the mount {certificate.mount}, and this is {order.mount}"
    elif order.moved:
        why = f"the rig was carried since certificate {certificate.name} was made"
    if why and order.check_weight_g is None and order.weight is None:
        raise BadInput(f"{why}: calibrate again, or announce a check weight, which must agree after M2")
    return why


def _with_last_tare(
    parameters: RunParameters, certificate: Certificate, database: Path, kinds: tuple[RunKind, ...]
) -> RunParameters:
    """Get the parameters of a run whose tare is held against the last one of its rig."""
    found = last_tare(database, certificate_hash(certificate), kinds)
    last = None if found is None else LastTare(*found)
    return replace(parameters, plan=with_last_tare(parameters.plan, certificate, last))


U_KNOWN = 0.001
"""Of a known loss, where nobody states how well it is known: a milligram in a gram."""


def _control(order: Start) -> Control | None:
    if order.suitability is None:
        return None
    known_g = order.known_loss_g or 0.0
    u_g = U_KNOWN * known_g if order.known_loss_u_g is None else order.known_loss_u_g
    return Control(kind=order.suitability, known_g=known_g, u_known_g=u_g)


def _rig_shown(
    order: Start, config: Config, certificate: Certificate, database: Path, void: str
) -> tuple[RigShown, ...]:
    """Get what earlier tests of the rig say of it, for a test of a cell. Raises ``BadInput`` where it is not fit."""
    if order.suitability is not None or order.kind == "blank":
        return ()
    changed = void or ("its holder, mount or cabling are others" if order.new_holder else "")
    return rig_shown(
        database,
        certificate_hash(certificate),
        datetime.datetime.now().astimezone().date(),
        changed=changed,
        required=config.test.suitability == "required",
    )


def _weight(path: str, *, asked: bool) -> WeightRecord:
    """Get the record of the check weight. Raises ``BadCertificate`` for one that has run out."""
    record = load_weight(path, follow_links=False, most_bytes=ASKED_BYTES) if asked else load_weight(path)
    record.must_hold(datetime.datetime.now().astimezone().date())
    return record


def _balance(order: Start, config: Config, *, asked: bool, simulated: bool) -> BalanceCertificate | None:
    """Get the certificate of the balance that may say the masses. Raises ``BadInput`` for one that has run out."""
    path = order.balance or config.balance.certificate
    if path is None:
        return None
    if asked and order.balance is not None:
        certificate = load_balance(path, follow_links=False, most_bytes=ASKED_BYTES)
    else:
        certificate = load_balance(path)
    if certificate.is_simulated != simulated:
        is_, right = ("a model's", "the real one's") if certificate.is_simulated else ("a real one's", "its model's")
        raise BadInput(f"balance {certificate.name}: its certificate is {is_}: name {right}")
    today = datetime.datetime.now().astimezone().date()
    if certificate.valid_until is not None and today > certificate.valid_until:
        raise BadInput(
            f"balance {certificate.name}: its certificate was valid until {certificate.valid_until}: have it calibrated"
        )
    return certificate


def _specimen(order: Start, *, asked: bool) -> Specimen | None:
    if order.specimen is None:
        return None
    if asked:
        return load_specimen(Path(order.specimen), follow_links=False, most_bytes=ASKED_BYTES)
    return load_specimen(Path(order.specimen))


def seen_before(specimen: Specimen | None, database: Path) -> tuple[SeenBefore, ...]:
    """Get the runs of a database that had this specimen's serial. Raises ``BadInput`` where one contradicts it."""
    if specimen is None or not database.exists():
        return ()
    found = recognised(specimen, runs_with_serial(database, specimen.serial))
    return tuple(_with_masses(seen, *masses_of_run(database, seen.run_id)) for seen in found)


def _with_masses(seen: SeenBefore, m1_g: float | None, m2_g: float | None) -> SeenBefore:
    return msgspec.structs.replace(seen, m1_g=m1_g, m2_g=m2_g)


def _blank(run_id: int, certificate: Certificate, database: Path) -> Result:
    """Get the result of the blank run that is to be subtracted: as far as can be said now, it fits."""
    result = unaltered_result(database, str(run_id))
    blank_from_result(result)
    check_same_rig(result, certificate)
    return result


def _more_blanks(order: Start, certificate: Certificate, database: Path) -> tuple[Result, ...]:
    """Get the results of the other blank runs, each once. Raises ``BadInput`` for one that is named twice."""
    numbers = [] if order.more_blanks is None else order.more_blanks.split(";")
    if len({str(order.blank), *numbers}) <= len(numbers):
        raise BadInput(f"blank: {order.blank};{order.more_blanks} names a run twice: each counts once")
    return tuple(_blank(int(run_id), certificate, database) for run_id in numbers)


def new_uid() -> str:
    """Get a name for a run that no other run anywhere has."""
    return secrets.token_hex(8)
