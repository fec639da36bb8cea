"""Inputs that were once answered wrongly, each of a kind that issue 10 mends: the verdicts that may be given now.

The files are in ``../shared/cases`` beside the project, with a README that says what is wrong with each; the lists of
what is accepted are those of its ``check``. Kinds, with inputs made anew, are in ``test_kinds.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from repository import CASES

from edge.cli.main import cli
from edge.errors import HalfpercentError

Result = dict[str, Any]
Accepts = Callable[[Result], bool]

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases (../shared/cases) are not beside the project")


def one_of(*verdicts: str) -> Accepts:
    return lambda r: r["verdict"] in verdicts


def holds(truth_pct: float) -> Accepts:
    return lambda r: r["loss_pct"] is not None and abs(r["loss_pct"] - truth_pct) <= r["U_pct"]


def either(*accepted: Accepts) -> Accepts:
    return lambda r: any(accepts(r) for accepts in accepted)


def both(*accepted: Accepts) -> Accepts:
    return lambda r: all(accepts(r) for accepts in accepted)


INVALID, UNSURE = one_of("INVALID"), one_of("INCONCLUSIVE", "INVALID")
MASSES = ("--columns", "mass_mg=mass_mg")
ROWS: list[tuple[str, tuple[str, ...], Accepts]] = [
    ("notare.csv", ("--certificate", "notare.toml"), INVALID),
    ("mass_only.csv", ("--declare", "temp_c=25"), INVALID),
    ("five_min_logger.csv", ("--standard", "t120.toml"), either(INVALID, holds(0.600))),
    ("sda1_205.csv", ("--standard", "sda205_03.toml", *MASSES), either(INVALID, holds(0.443))),
    ("overshoot.csv", ("--standard", "t120_025.toml"), either(INVALID, holds(0.350))),
    ("gain.csv", ("--standard", "t120.toml"), INVALID),
    ("empty_pan.csv", (), INVALID),
    ("fell_off.csv", (), INVALID),
    ("touched.csv", (), either(UNSURE, both(lambda r: any(h["what"] == "jump" for h in r["happened"]), holds(0.300)))),
    ("step.csv", ("--certificate", "step.toml"), either(UNSURE, both(one_of("FAIL"), holds(0.5501)))),
    ("mean10.csv", (), either(UNSURE, one_of("FAIL"))),
    ("whole-grams-0.80pct.csv", (), UNSURE),
    ("frozen-hot.csv", ("--weigh", "hot"), INVALID),
    ("bee1_h203.csv", ("--standard", "bee.toml"), UNSURE),
    (
        "mof_hold.csv",
        ("--standard", "mof_restart.toml", *MASSES),
        both(lambda r: r.get("hold_s", 0.0) >= 6000.0, holds(0.821)),
    ),
]


@pytest.mark.parametrize(("name", "options", "accepts"), ROWS, ids=[name for name, *_ in ROWS])
def test_what_was_answered_wrongly_once_is_answered_as_accepted(
    name: str, options: tuple[str, ...], accepts: Accepts
) -> None:
    given = [str(CASES / word) if word.endswith(".toml") else word for word in options]
    done = CliRunner().invoke(cli, ["replay", str(CASES / name), "--json", *given])
    if isinstance(done.exception, HalfpercentError):  # refused in one line
        assert accepts({"verdict": "INVALID", "loss_pct": None})
        return
    assert done.exit_code == 0, done.exception
    result: Result = json.loads(done.stdout)
    assert accepts(result), (result["verdict"], result["loss_pct"], result["U_pct"], result["invalid_because"])
