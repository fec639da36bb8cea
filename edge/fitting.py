"""Whether settings, certificate and standard fit together, before a sample is burnt."""

from __future__ import annotations

from calibration.certificate import load_certificate
from calibration.errors import CalibrationError

from .config import Config
from .errors import HalfpercentError
from .standard import load_standard
from .wiring import conflicts


def disagreements(config: Config, where: str) -> list[str]:
    """Get one line for each thing in which the settings contradict their standard or certificate."""
    out = [f"{where}: {line}" for line in conflicts(config)]
    try:
        load_standard(config.test.standard)
    except HalfpercentError as e:
        out.append(f"{where}: test.standard: {e}")
    if config.test.certificate is None:
        return out
    try:
        certificate = load_certificate(config.test.certificate)
    except CalibrationError as e:
        return [*out, f"{where}: test.certificate: {e}"]
    for name, ours, theirs in (
        # However an HX711 is clocked, it is the same converter.
        ("bridge.chip", config.bridge.chip.removesuffix("_spi"), certificate.bridge.chip),
        ("bridge.gain", config.bridge.gain, certificate.bridge.gain),
        ("oven_probe.ref_ohm", config.oven_probe.ref_ohm, certificate.rtd.ref_ohm),
        ("oven_probe.nominal_ohm", config.oven_probe.nominal_ohm, certificate.rtd.r0_ohm),
        ("oven_probe.wires", config.oven_probe.wires, certificate.rtd.wires),
    ):
        if ours != theirs:
            out.append(
                f"{where}: {name} = {ours}, but certificate {certificate.name} was made with {theirs}: correct the "
                "setting, or calibrate again"
            )
    if certificate.temperature.cell_source == "probe" and config.cell_probe is None:
        out.append(f"{where}: certificate {certificate.name} wants a thermometer on the load cell: add [cell_probe]")
    return out
