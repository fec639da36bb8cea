"""The commands ``halfpercent calibrate …``: the dialogue of a guided calibration, and what it says.

Each command does one step, keeps what it read, and writes a new certificate where there is a span. This module must
never write a person's config: it says which line to put into it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from edge.errors import BadValue, CalibrationRefused

from .calibrate_corners import calibrate_corners
from .calibrate_pressure import calibrate_pressure
from .calibrate_return import calibrate_return
from .calibration_bench import BenchOptions, of_a_bench, open_place, weight_named
from .calibration_finish import again, finish
from .options import one_line, user_db
from .say import say, say_json, say_text, say_wrapped
from .site import calibrate_site

if TYPE_CHECKING:
    from calibration.calibration_record import Air, ThermometerPlace, Weight
    from calibration.certificate import Cell
    from calibration.iec60751 import ToleranceClass
    from edge.guided_calibration.place import Place
    from edge.guided_calibration.session import Curve, Session
    from edge.guided_calibration.steps import Reference

WHO_SIMULATED = "halfpercent, simulated person"
SIMULATED_WEIGHTS = ("100:F1", "200:F1")


STEPS = (
    ("calibrate tare --capacity 500 --serial S --who NAME", "begin: which cell it is, and the empty holder"),
    ("calibrate span --weight 100:F1 --weight 200:F1", "check weights, up and down again: this makes a certificate"),
    ("calibrate temperature", "a night with the oven on: what temperature does to zero and span"),
    ("calibrate return", "after a night under load: take the weight off, and see what of the creep comes back"),
    ("calibrate rtd --resistor 146.07", "the thermometer against a known resistor, a short or ice"),
    ("calibrate show", "what was read so far, and the newest certificate"),
)
"""In their order; with a simulated rig each needs --simulate and a number."""


@click.group(invoke_without_command=True)
@click.pass_context
def calibrate(ctx: click.Context) -> None:
    """Calibrate the load cell and the thermometer, step by step: tare, span, temperature, return, pressure, rtd."""
    if ctx.invoked_subcommand is not None:
        return
    say_wrapped("A calibration is made in steps, in this order; what was read is kept, and each can be done again:")
    for command, what in STEPS:
        say_wrapped(f"halfpercent {command}", "  ")
        say_wrapped(what, "      ")
    say_wrapped("Without parts, add --simulate 1 to each. See docs/calibration.md, or --help of a step.")


@calibrate.command("tare")
@click.option("--capacity", "capacity_g", type=float, help="The load cell's rated load in g.")
@click.option("--serial", callback=one_line, help="The load cell's serial number.")
@click.option("--mount", callback=one_line, help="What it is mounted by, as you will name it at each start.")
@click.option("--who", callback=one_line, help="Who calibrates: name, and laboratory.")
@click.option("--valid-months", default=12, show_default=True, type=click.IntRange(1, 120), help="How long it holds.")
@click.option(
    "--rtd-class", type=click.Choice(["AA", "A", "B", "C"]), default="B", show_default=True, help="IEC 60751."
)
@click.option("--air", "air_text", metavar="HPA,C,PCT", help="The room's air: 1013.2,21.5,45 [assumed].")
@of_a_bench
def calibrate_tare(
    capacity_g: float | None,
    serial: str | None,
    mount: str | None,
    who: str | None,
    valid_months: int,
    rtd_class: ToleranceClass,
    air_text: str | None,
    **options: Unpack[BenchOptions],
) -> None:
    """Begin: say which cell it is, and read the empty holder."""
    from edge.guided_calibration.session import load_session
    from edge.guided_calibration.steps import read_tare

    air = _declared_air(air_text)
    with open_place(options) as place:
        session = None if options["restart"] else load_session(place.path)
        if session is None:
            simulated = place.seed is not None
            if simulated:
                capacity_g, serial, who = capacity_g or 500.0, serial or f"simulated {place.seed}", who or WHO_SIMULATED
            missing = [n for n, v in (("--capacity", capacity_g), ("--serial", serial), ("--who", who)) if v is None]
            if missing:
                raise click.UsageError(f"a calibration begins with {', '.join(missing)}")
            cell = _stated_cell(capacity_g, serial)
            session = _new_session(place, cell, who or "", valid_months, rtd_class, air, mount)
        else:
            place.check(session)
            _must_agree(session, capacity_g, serial, who, mount)
        session = read_tare(place.bench, session, place.keep)
        point = session.tare
        assert point is not None  # it was just read
        temps = [f"{n} {v:.2f} °C" for n, v in (("cell", point.cell_c), ("oven", point.oven_c)) if v is not None]
        say(
            f"Empty holder: {point.code:.1f} ± {point.u_code:.1f} codes, noise of single samples "
            f"{point.noise_code:.1f} codes" + (", " + ", ".join(temps) if temps else "")
        )
        say(f"Kept in {place.path}. Next: halfpercent calibrate span --weight 100:F1 --weight 200:F1{again(place)}")


def _must_agree(
    session: Session, capacity_g: float | None, serial: str | None, who: str | None, mount: str | None
) -> None:
    """See that what is said again is what the calibration was begun with. Raises ``CalibrationRefused``."""
    said = (
        ("--capacity", capacity_g, session.cell.capacity_g),
        ("--serial", serial, session.cell.serial),
        ("--who", who, session.made_by),
        ("--mount", mount, session.mount),
    )
    for option, now, begun in said:
        if now is not None and now != begun:
            raise CalibrationRefused(
                f"{option} {now}: this calibration was begun with {begun}: leave it out, or begin anew with --restart"
            )


def _stated_cell(capacity_g: float | None, serial: str | None) -> Cell:
    """Get the load cell as it is stated. Raises ``CalibrationRefused`` for what no cell is."""
    from calibration.certificate import Cell
    from calibration.toml_file import convert

    return convert({"capacity_g": capacity_g, "serial": serial}, Cell, "--capacity, --serial", CalibrationRefused)


def _new_session(
    place: Place, cell: Cell, who: str, valid_months: int, rtd_class: ToleranceClass, air: Air | None, mount: str | None
) -> Session:
    """Make a new calibration; one of the same name is put aside."""
    from calibration.certificate import BridgeChip
    from calibration.weights import ASSUMED_AIR
    from edge.guided_calibration.place import nominal_cell_rtd, nominal_oven_rtd, today
    from edge.guided_calibration.session import Session

    if place.path.exists():
        aside = place.path.with_name(f"{place.path.name}.{today(place.bench).isoformat()}")
        place.path.replace(aside)
    return Session(
        name=place.path.name.removesuffix(".session.json"),
        made_by=who,
        begun=today(place.bench),
        begun_clock_set=place.bench.clock_set(),
        cell=cell,
        bridge=BridgeChip(chip=place.config.bridge.chip.removesuffix("_spi"), gain=place.config.bridge.gain),
        oven_rtd=nominal_oven_rtd(place.config, rtd_class),
        cell_rtd=nominal_cell_rtd(place.config, rtd_class),
        valid_months=valid_months,
        air=air or ASSUMED_AIR,
        mount=mount,
    )


def _declared_air(text: str | None) -> Air | None:
    """Get the air that ``--air`` declares: pressure in hPa, temperature in °C, humidity in %."""
    if text is None:
        return None
    from calibration.weights import declared_air
    from edge.records.sample import PA_PER_HPA, parse_air_reading

    air = parse_air_reading(text)
    return declared_air(air.temp_c, air.pressure_hpa * PA_PER_HPA, air.humidity_pct)


@calibrate.command("span")
@click.option("--weight", "texts", multiple=True, metavar="G[:CLASS|:u=G]|FILE", help="Two or more: 100:F1.")
@of_a_bench
def calibrate_span(texts: tuple[str, ...], **options: Unpack[BenchOptions]) -> None:
    """Put check weights on, up and down again: codes per gram, bend and hysteresis."""
    from msgspec.structs import replace

    from edge.guided_calibration.certify import span_done
    from edge.guided_calibration.steps import Reporting, check_weights, read_span

    weights = tuple(weight_named(text) for text in texts)
    with open_place(options) as place:
        session = place.session()
        if options["restart"] or span_done(session):
            session = replace(session, points=(), weights=())
        if session.points and weights and {w.mass_g: w for w in weights} != {w.mass_g: w for w in session.weights}:
            begun = " and ".join(f"{w.mass_g:g} g ({w.stated})" for w in session.weights)
            raise CalibrationRefused(f"the span was begun with {begun}: go on with these, or begin again")
        if not session.points:
            weights = weights or _asked_weights(place)
            check_weights(weights, session.cell.capacity_g)
            session = replace(session, weights=weights)
        session = read_span(place.bench, session, Reporting(place.keep, click.echo))
        finish(place, session)


def _asked_weights(place: Place) -> tuple[Weight, ...]:
    """Ask for the weights, one a line."""
    from calibration.weights import parse_weight

    if place.seed is not None:
        return tuple(parse_weight(text) for text in SIMULATED_WEIGHTS)
    out: list[Weight] = []
    while text := place.bench.ask("A weight, such as 100:F1 or 100:u=0.002 (Enter when there are no more): "):
        out.append(weight_named(text))
    return tuple(out)


@calibrate.command("temperature")
@click.option(
    "--weight", "text", metavar="G[:CLASS|:u=G]|FILE", help="With this weight on, for the span [empty holder]."
)
@click.option("--hours", default=8.0, show_default=True, type=click.FloatRange(0.5, 72.0), help="How long in all.")
@click.option("--from", "file", type=click.Path(path_type=Path), help="Not now: a recorded night, as replay reads one.")
@click.option("--columns", default="", help="Its columns, as replay's: counts=raw,temp_c=T_air.")
@click.option("--json", "as_json", is_flag=True, help="Of a recorded night: print one JSON object.")
@of_a_bench
def calibrate_temperature(
    text: str | None,
    hours: float,
    file: Path | None,
    columns: str,
    as_json: bool,
    **options: Unpack[BenchOptions],
) -> None:
    """Record the cell while the oven warms and cools it: what temperature does to zero and span."""
    if file is not None:
        from .calibrate_from import calibrate_from

        calibrate_from(file, columns, text, as_json, options)
        return
    if columns or as_json:
        raise click.UsageError("--columns and --json are for a recorded night: name it with --from")
    from msgspec.structs import replace

    from edge.guided_calibration.steps import Reporting, record_temperature

    weight = None if text is None else weight_named(text)
    with open_place(options) as place:
        session = place.session()
        if weight is not None and weight.mass_g > session.cell.capacity_g:
            raise BadValue(
                "weight", f"{weight.mass_g:g}", f"the cell carries {session.cell.capacity_g:g} g: give grams"
            )
        if options["restart"]:
            session = replace(session, **{"empty" if weight is None else "loaded": None})
        if place.seed is None:
            say(
                "Leave the load as it is"
                + (" for two hours, then" if weight else ", then")
                + " heat the oven to 120 °C, "
                "keep it there for two hours, switch it off and let it cool."
            )
            say("Ctrl-C keeps what was read; the same command goes on,")
            say("and with fewer --hours it ends with what there is.")
        every_min = 30 if place.seed is not None else 1
        reporting = Reporting(place.keep, click.echo, every_min)
        session = record_temperature(place.bench, session, weight, hours, reporting)
        finish(place, session)


@calibrate.command("rtd")
@click.option("--resistor", "resistor_ohm", type=float, metavar="OHM", help="A known resistor in the sensor's place.")
@click.option("--short", "short_ohm", type=float, metavar="OHM", help="Two wires, connected at their end (0 or so).")
@click.option("--ice", is_flag=True, help="The thermometer itself, in melting ice.")
@click.option("--self-heating", is_flag=True, help="By how much its own current warms it, in the resting oven.")
@click.option("--curve", metavar="R0,A,B", help="The sensor's own Callendar-Van Dusen coefficients.")
@click.option("--u", type=click.FloatRange(0.0, 100.0), help="Standard uncertainty, in Ω; of ice and curve in °C.")
@click.option("--probe", type=click.Choice(["oven", "cell"]), default="oven", show_default=True, help="Which one.")
@of_a_bench
def calibrate_rtd(
    resistor_ohm: float | None,
    short_ohm: float | None,
    ice: bool,
    self_heating: bool,
    curve: str | None,
    u: float | None,
    probe: ThermometerPlace,
    **options: Unpack[BenchOptions],
) -> None:
    """Check a thermometer against a resistor, a short or ice, give its own curve, or see what its current does."""
    from msgspec.structs import replace

    from calibration.rtdcheck import warmed_k
    from edge.guided_calibration.certify import fitted_rtd
    from edge.guided_calibration.steps import check_rtd, read_self_heating

    if sum((resistor_ohm is not None, short_ohm is not None, ice, self_heating, curve is not None)) != 1:
        raise click.UsageError("give one of --resistor OHM, --short OHM, --ice, --self-heating and --curve R0,A,B")
    reference = None if curve is not None or self_heating else _reference(resistor_ohm, short_ohm, u)
    with open_place(options) as place:
        session = place.session()
        if probe == "cell" and session.cell_rtd is None:
            raise click.ClickException(
                "there is no thermometer on the load cell: add [cell_probe] to the config, or --probe oven"
            )
        if options["restart"]:
            session = replace(
                session,
                rtd_checks=tuple(c for c in session.rtd_checks if c.probe != probe),
                curves=tuple(c for c in session.curves if c.probe != probe),
                self_heating=tuple(h for h in session.self_heating if h.probe != probe),
            )
        if curve is not None:
            session = replace(session, curves=(*session.curves, _own_curve(session, probe, curve, u)))
        if reference is not None:
            session, check = check_rtd(place.bench, session, reference, probe)
            say(f"{reference.kind}: code {check.code:.2f} ± {check.u_code:.2f}")
        heated = None
        if self_heating:
            session, heated = read_self_heating(place.bench, session, probe)
        place.keep(session)
        found, assumed = fitted_rtd(session, probe)
        if heated is not None:
            k, u_k = warmed_k(heated, found)
            say(f"Its current warms it by {k:.2f} ± {u_k:.2f} K at 120 °C: in what follows, not corrected.")
        own = f", A {found.a_per_k:g}, B {found.b_per_k2:g}" if found.a_per_k is not None else ""
        say(
            f"{probe} thermometer: reference {found.ref_ohm:.3f} Ω, leads {found.lead_ohm:.3f} Ω, R0 "
            f"{found.r0_ohm:.4f} Ω{own}; the sample's temperature at 120 °C is good to {found.u_temp_c:.2f} °C"
        )
        for line in assumed:
            say(f"  assumed: {line}")
        finish(place, session, quiet=True)


def _reference(resistor_ohm: float | None, short_ohm: float | None, u: float | None) -> Reference:
    """Get what is put in a thermometer's place: a resistor, a short, or neither, which is ice."""
    from edge.guided_calibration.steps import Reference

    ohm = resistor_ohm if resistor_ohm is not None else short_ohm if short_ohm is not None else 0.0
    if not 0.0 <= ohm <= 1e4 or (resistor_ohm is not None and ohm < 10.0):
        raise click.UsageError(f"{ohm:g} Ω: a resistor has 10 to 10000 Ω, a short 0 or a little more")
    if resistor_ohm is not None:
        return Reference("resistor", ohm, u)
    return Reference("ice" if short_ohm is None else "short", ohm, u)


def _own_curve(session: Session, probe: ThermometerPlace, text: str, u: float | None) -> Curve:
    """Get a sensor's own coefficients. Raises ``CalibrationRefused`` for what no platinum has."""
    import msgspec

    from calibration.certificate import Rtd
    from calibration.toml_file import convert
    from edge.guided_calibration.session import Curve
    from edge.guided_calibration.steps import ICE_U_C

    try:
        r0, a, b = (float(part) for part in text.split(","))
    except ValueError as e:
        raise click.UsageError(f"--curve {text}: write R0 in Ω, A and B: 100.012,3.9085e-3,-5.78e-7") from e
    nominal = session.oven_rtd if probe == "oven" else session.cell_rtd
    own = msgspec.to_builtins(nominal) | {"r0_ohm": r0, "a_per_k": a, "b_per_k2": b}
    convert(own, Rtd, f"--curve {text}", CalibrationRefused)
    return Curve(probe=probe, r0_ohm=r0, a_per_k=a, b_per_k2=b, u_c=ICE_U_C if u is None else u)


calibrate.add_command(calibrate_pressure)
calibrate.add_command(calibrate_return)
calibrate.add_command(calibrate_corners)
calibrate.add_command(calibrate_site)


@calibrate.command()
@click.argument("name", default="cell")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="The settings [/etc/halfpercent].")
@click.option("--db", type=click.Path(path_type=Path), envvar="HALFPERCENT_DB", help="Beside it all is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(name: str, config_file: Path | None, db: Path | None, as_json: bool) -> None:
    """Show what was read so far, and the newest certificate. NAME is a calibration's, or a certificate's file."""
    import msgspec

    from edge.guided_calibration.summary import look_up, shown
    from edge.instrument.config import config_path, load_config

    if name.endswith(".toml"):
        folder: Path | None = None
    else:
        path = config_path(config_file)
        known = config_file is not None or path.exists()
        database = db or (Path(load_config(path).storage.database) if known else user_db())
        folder = database.parent
    found = look_up(folder, name)
    if as_json:
        say_json(msgspec.to_builtins(found))
    else:
        say_text(shown(found))
