"""A check weight's record: what names its certificate, when it holds, and the weight that a calibration makes of it."""

from __future__ import annotations

import datetime as dt

import pytest

from calibration.errors import BadCertificate
from calibration.weight_record import as_weight, load_weight, loads_weight, weight_hash, weight_toml

RECORD = """
name = "F1 100 g no. 3"
mass_g = 100.00003
U_g = 0.00016
k = 2.0
certificate_number = "2026-0815"
laboratory = "A calibration laboratory"
calibrated_on = 2026-03-01
valid_until = 2027-03-01
density_g_cm3 = 8.0
weight_class = "F1"
"""


def test_a_record_is_the_weight_of_a_calibration_and_names_its_certificate() -> None:
    record = loads_weight(RECORD)
    weight = as_weight(record)
    assert (weight.mass_g, weight.u_mass_g, weight.density_kg_m3) == (100.00003, 0.00008, 8000.0)
    for said in ("F1 100 g no. 3", "2026-0815", "A calibration laboratory", "valid until 2027-03-01"):
        assert said in weight.stated
    assert weight_hash(record)[:16] in weight.stated
    assert as_weight(loads_weight(RECORD.replace("density_g_cm3 = 8.0\n", ""))).density_kg_m3 == 7950.0


def test_it_holds_until_its_last_day_and_then_is_refused_in_one_line() -> None:
    record = loads_weight(RECORD)
    record.must_hold(dt.date(2027, 3, 1))
    with pytest.raises(BadCertificate) as refused:
        record.must_hold(dt.date(2027, 3, 2))
    said = "weight F1 100 g no. 3: its certificate 2026-0815 was valid until 2027-03-01: have it calibrated, or use"
    assert str(refused.value) == f"{said} another"


def test_a_record_written_is_the_one_that_was_read() -> None:
    record = loads_weight(RECORD)
    assert loads_weight(weight_toml(record)) == record
    assert weight_hash(loads_weight("# mine\n" + weight_toml(record))) == weight_hash(record)
    assert weight_hash(loads_weight(RECORD.replace("0815", "0816"))) != weight_hash(record)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RECORD.replace("U_g = 0.00016", ""), "U_g is missing: add an expanded uncertainty in g"),
        (RECORD.replace("U_g = 0.00016", "U_g = 16.0"), "U_g = 16: is more than 1 % of mass_g"),
        (RECORD.replace("2027", "2025"), "valid_until 2025-03-01 is before calibrated_on"),
        (RECORD.replace("100.00003", "100.3"), "a weight of class F1 is within 0.0005 g of its nominal mass"),
        (RECORD.replace('"F1"\n', '"X1"\n'), 'weight_class = \'X1\': give "E2" or "F1"'),
        (RECORD.replace("density_g_cm3 = 8.0", "density_g_cm3 = 8000.0"), "give a density in g/cm³, 1 to 25"),
    ],
)
def test_a_mistake_is_one_line(text: str, said: str) -> None:
    with pytest.raises(BadCertificate) as caught:
        loads_weight(text, "w.toml")
    assert str(caught.value).startswith("w.toml: ")
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_is_none_is_one_line(tmp_path) -> None:  # type: ignore[no-untyped-def]  # pytest's own
    with pytest.raises(BadCertificate, match="give the path of a TOML file"):
        load_weight(tmp_path / "none.toml")
