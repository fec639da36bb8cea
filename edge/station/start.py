"""What a start asks for, made into all that a run goes by, or refused in one line before a sample is burnt.

This module must never begin a run, and never let one begin that could not be judged in the end.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import msgspec

from calibration.certificate import Certificate, certificate_hash, load_certificate
from edge.control.protocol import Start
from edge.database.queries import result_of_run
from edge.errors import BadInput
from edge.instrument.config import Config
from edge.instrument.consistency import disagreements
from edge.procedure.parameters import live_parameters
from edge.records.sample import Sample, parse_air, parse_density
from edge.run.definition import RunDefinition
from edge.run.live_run import stability_g
from edge.standards.standard import load_standard
from edge.uncertainty.blank import blank_of


def given_of(order: Start, config: Config, database: Path) -> RunDefinition:
    """Get what a run is of and goes by. What the order leaves open, the settings say.

    Raises ``BadInput`` and the errors of standards and certificates, one line each.
    """
    test = config.test
    path = order.certificate or test.certificate
    if path is None:
        raise BadInput(
            "no certificate of the load cell: make one with halfpercent calibrate, and name it in the settings, [test]"
        )
    named = msgspec.structs.replace(config, test=msgspec.structs.replace(test, certificate=path))
    for line in disagreements(named, "settings"):
        raise BadInput(line)
    standard = load_standard(order.standard or test.standard)
    certificate = load_certificate(path)
    terms = live_parameters(
        standard,
        certificate,
        stability_g=stability_g(certificate),
        vacuum=config.vacuum.fitted(),
        zero_after=order.zero_after,
        check_weight_g=order.check_weight_g,
    )
    sample = Sample(
        order.sample,
        claim=order.claim,
        composition=order.composition,
        density_g_cm3=parse_density(order.density),
        air=parse_air(tuple(order.air.split(";")) if order.air else ()),
    )
    subtract = None if order.blank is None else _blank(order.blank, certificate, database)
    kind = "blank" if order.kind == "blank" else "test"
    return RunDefinition(sample, order.operator, kind, standard, certificate, terms, subtract)


def _blank(run_id: int, certificate: Certificate, database: Path) -> dict[str, Any]:
    """Get the result of the blank run that is to be subtracted: as far as can be said now, it fits."""
    result = result_of_run(database, str(run_id))
    blank_of(result)
    theirs = result["certificate"]
    if theirs is None or theirs["sha256"] != certificate_hash(certificate):
        raise BadInput(
            f"blank run {run_id}: was made with another rig or certificate: run the dummy on this rig, with this one"
        )
    return result


def new_uid() -> str:
    """Get a name for a run that no other run anywhere has."""
    return secrets.token_hex(8)
