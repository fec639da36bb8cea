"""Records that a person copies from other people's certificates: check weights, and the laboratory's balance.

``weight new`` and ``calibrate balance`` ask and write a new file; ``weight show`` reads one. This module must never
write over a file, and never fill in what was not answered.
"""

from __future__ import annotations

from pathlib import Path

import click

from .asking import Question, a_date, asked, must_be_new, table, write_new
from .calibrate import calibrate
from .say import say, say_json

_file = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def weight() -> None:
    """Check weights: the records of their certificates."""


@weight.command("show")
@_file
def show_weight(file: Path) -> None:
    """Check a weight's FILE and show it as JSON; one that has run out is refused."""
    import datetime

    import msgspec

    from calibration.weight_record import load_weight, weight_hash

    record = load_weight(file)
    record.must_hold(datetime.datetime.now().astimezone().date())
    say_json(msgspec.to_builtins(record) | {"sha256": weight_hash(record)})


@weight.command("new")
@_file
def new_weight(file: Path) -> None:
    """Ask for what the weight's certificate states, and write it into a new FILE."""
    from calibration.errors import BadCertificate
    from calibration.toml_file import convert
    from calibration.weight_record import WeightRecord, weight_toml

    must_be_new(file)
    record = convert(table(_WEIGHT, _WEIGHT_NEEDS), WeightRecord, str(file), BadCertificate)
    write_new(file, weight_toml(record))
    say(f"Written: {file}. Then: halfpercent calibrate span --weight {file}, or start --weight {file}")


@calibrate.command("balance")
@_file
def calibrate_balance(file: Path) -> None:
    """Ask for what the certificate of the laboratory's own balance states, and write it into a new FILE."""
    from calibration.balance_certificate import BalanceCertificate, balance_toml, u_in_use_g
    from calibration.errors import BadCertificate
    from calibration.toml_file import convert

    must_be_new(file)
    answers = table(_BALANCE, _BALANCE_NEEDS)
    if click.confirm("Does it state U(W) = √(alpha² + (beta·W)²) in use?", err=True):
        answers["in_use"] = table(_IN_USE, frozenset({"alpha_g"}))
    else:
        points = []
        while (
            mass_g := asked("A mass of its table of U in use, in g (Enter: no more)", float, needed=False)
        ) is not None:
            points.append({"mass_g": mass_g} | table(_POINT, frozenset({"U_g"})))
        if points:
            answers["points"] = points
        else:
            answers["repeatability"] = table(_REPEATS, frozenset({"s_g", "n"}))
            if click.confirm("Does it state the eccentricity?", err=True):
                answers["eccentricity"] = table(_CORNERS, frozenset({"largest_g", "at_g"}))
    certificate = convert(answers, BalanceCertificate, str(file), BadCertificate)
    write_new(file, balance_toml(certificate))
    full = certificate.capacity_g
    say(f"Written: {file}. In use u = {u_in_use_g(certificate, full / 2.0):.2g} g at {full / 2.0:g} g.")
    say(f'Next: put certificate = "{file.absolute()}" into the settings, [balance], or start --balance {file}')


_WEIGHT: tuple[Question, ...] = (
    ("name", "Its name, as you call it (F1 100 g no. 3)", str),
    ("mass_g", "Conventional mass in g, as the certificate states it (100.00003)", float),
    ("U_g", "Its expanded uncertainty U in g (0.00016)", float),
    ("k", "Coverage factor k [2]", float),
    ("certificate_number", "Number of the certificate", str),
    ("laboratory", "Laboratory that calibrated it", str),
    ("calibrated_on", "Calibrated on (2026-03-01)", a_date),
    ("valid_until", "Valid until (2027-03-01)", a_date),
    ("density_g_cm3", "Density in g/cm³, if it is stated (8.0)", float),
    ("weight_class", "Class, if it is stated (E2, F1, F2, M1, M2, M3)", str),
)
_WEIGHT_NEEDS = frozenset({"name", "mass_g", "U_g", "certificate_number", "laboratory", "calibrated_on", "valid_until"})
_BALANCE: tuple[Question, ...] = (
    ("name", "Its name, as you call it (B1)", str),
    ("model", "Maker and model", str),
    ("serial", "Serial number", str),
    ("calibrated_by", "Laboratory that calibrated it", str),
    ("certificate_number", "Number of the certificate", str),
    ("calibrated_on", "Calibrated on (2026-03-01)", a_date),
    ("valid_until", "Valid until (2027-03-01)", a_date),
    ("capacity_g", "Capacity in g (220)", float),
    ("digit_g", "Scale interval in g (0.001)", float),
    ("nonlinearity_g", "Largest error of linearity in g, if it is stated (0.002)", float),
)
_BALANCE_NEEDS = frozenset({"name", "model", "serial", "calibrated_by", "calibrated_on", "capacity_g", "digit_g"})
_IN_USE: tuple[Question, ...] = (
    ("alpha_g", "alpha, the part that no mass changes, in g (0.004)", float),
    ("beta", "beta, the part in proportion to the mass (1.2e-5)", float),
    ("k", "Coverage factor k [2]", float),
)
_POINT: tuple[Question, ...] = (("U_g", "U in use at that mass, in g", float), ("k", "Coverage factor k [2]", float))
_REPEATS: tuple[Question, ...] = (
    ("s_g", "Repeatability: standard deviation in g (0.001)", float),
    ("n", "of how many weighings (10)", int),
)
_CORNERS: tuple[Question, ...] = (
    ("largest_g", "Largest difference in the corners in g (0.002)", float),
    ("at_g", "with which load, in g (100)", float),
)
