"""Whether settings, certificate and standard fit together, before a sample is burnt."""

from __future__ import annotations

from collections.abc import Iterator

from calibration.certificate import Certificate, Rtd, load_certificate
from calibration.errors import CalibrationError
from calibration.rtdcheck import R0_OFF_REL, REF_OFF_REL
from edge.errors import HalfpercentError
from edge.standards.standard import load_standard

from .config import Config, ProbeConfig
from .wiring import conflicts


def disagreements(config: Config, where: str, certificate: Certificate | None = None) -> list[str]:
    """Get one line for each thing in which the settings contradict their standard or certificate.

    ``certificate`` is held against them in place of the one that they name, which is not read then.
    """
    out = [f"{where}: {line}" for line in conflicts(config)]
    try:
        load_standard(config.test.standard)
    except HalfpercentError as e:
        out.append(f"{where}: test.standard: {e}")
    if certificate is None:
        if config.test.certificate is None:
            return out
        try:
            certificate = load_certificate(config.test.certificate)
        except CalibrationError as e:
            return [*out, f"{where}: test.certificate: {e}"]
    for name, ours, theirs, near in (
        # However an HX711 is clocked, it is the same converter.
        ("bridge.chip", config.bridge.chip.removesuffix("_spi"), certificate.bridge.chip, 0.0),
        ("bridge.gain", config.bridge.gain, certificate.bridge.gain, 0.0),
        *_thermometer_facts("oven_probe", config.oven_probe, certificate.rtd),
        *(_thermometer_facts("cell_probe", config.cell_probe, certificate.cell_rtd) if certificate.cell_rtd else ()),
    ):
        if ours != theirs and not _is_near(ours, theirs, near):
            out.append(
                f"{where}: {name} = {ours}, but certificate {certificate.name} was made with {theirs}: correct the "
                "setting, or calibrate again"
            )
    if certificate.temperature.cell_source == "probe" and config.cell_probe is None:
        out.append(f"{where}: certificate {certificate.name} wants a thermometer on the load cell: add [cell_probe]")
    return out


def _thermometer_facts(table: str, config: ProbeConfig | None, rtd: Rtd) -> Iterator[tuple[str, float, float, float]]:
    """Get what a thermometer's settings and the certificate both say, and how near they must be."""
    if config is None:
        return
    yield f"{table}.ref_ohm", config.ref_ohm, rtd.ref_ohm, REF_OFF_REL
    yield f"{table}.nominal_ohm", config.nominal_ohm, rtd.r0_ohm, R0_OFF_REL
    yield f"{table}.wires", config.wires, rtd.wires, 0.0


def _is_near(ours: object, theirs: object, near: float) -> bool:
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return abs(ours / theirs - 1.0) <= near
    return False
