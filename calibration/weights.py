"""Check weights: their classes, what one is good for, and how much of its mass a load cell feels.

A weight's stated mass is its *conventional* mass (OIML R 111-1:2004, 2.7 and D 28): that of steel of 8000 kg/m³ that
balances it in air of 1.2 kg/m³. A load cell feels its *load*, what hangs on it less the air that it displaces. This
module must never take a class or an uncertainty for granted: a weight without either is refused.
"""

from __future__ import annotations

import math

from calibration.air import U_REL_FORMULA, density_kg_m3
from calibration.calibration_record import Air, Weight
from calibration.errors import OutOfDomain

CLASSES = ("E2", "F1", "F2", "M1", "M2", "M3")

MPE_MG: dict[float, tuple[float, float, float, float, float, float]] = {
    1.0: (0.03, 0.10, 0.3, 1.0, 3.0, 10.0),
    2.0: (0.04, 0.12, 0.4, 1.2, 4.0, 12.0),
    5.0: (0.05, 0.16, 0.5, 1.6, 5.0, 16.0),
    10.0: (0.06, 0.20, 0.6, 2.0, 6.0, 20.0),
    20.0: (0.08, 0.25, 0.8, 2.5, 8.0, 25.0),
    50.0: (0.10, 0.3, 1.0, 3.0, 10.0, 30.0),
    100.0: (0.16, 0.5, 1.6, 5.0, 16.0, 50.0),
    200.0: (0.3, 1.0, 3.0, 10.0, 30.0, 100.0),
    500.0: (0.8, 2.5, 8.0, 25.0, 80.0, 250.0),
    1000.0: (1.6, 5.0, 16.0, 50.0, 160.0, 500.0),
    2000.0: (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0),
    5000.0: (8.0, 25.0, 80.0, 250.0, 800.0, 2500.0),
    10000.0: (16.0, 50.0, 160.0, 500.0, 1600.0, 5000.0),
    20000.0: (30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0),
}
"""Maximum permissible errors ± in mg by nominal mass in g, for :data:`CLASSES`. OIML R 111-1:2004, table 1."""

CONVENTIONAL_AIR_KG_M3, CONVENTIONAL_STEEL_KG_M3 = 1.2, 8000.0
WEIGHT_DENSITY_G_CM3 = (1.0, 25.0)

ASSUMED_AIR = Air(density_kg_m3=1.2, u_density_kg_m3=0.12 / math.sqrt(3.0), origin="assumed")
"""Air within 10 % of 1.2 kg/m³ (R 111-1, 10.2.1 takes it to be so): up to some 800 m above the sea."""

# What a weather station's or a room's instruments are good for, as half-widths.
AIR_HALF = {"temp_c": 2.0, "pressure_pa": 200.0, "humidity_pct": 10.0}

HOW = "write MASS_G:CLASS such as 100:F1, or MASS_G:u=U_G such as 100:u=0.002, in g"


def declared_air(temp_c: float, pressure_pa: float, humidity_pct: float) -> Air:
    """Get the air that was declared, its density by CIPM-2007, good to ±2 °C, ±200 Pa and ±10 % of humidity.

    Raises ``OutOfDomain`` for air that cannot be.
    """
    density = density_kg_m3(temp_c, pressure_pa, humidity_pct)
    at = {"temp_c": temp_c, "pressure_pa": pressure_pa, "humidity_pct": humidity_pct}
    u2 = (U_REL_FORMULA * density) ** 2
    for name, half in AIR_HALF.items():
        # towards the middle of each range, so that the neighbour is in it too
        step = -half if name == "humidity_pct" and humidity_pct > 50.0 else half
        u2 += (density_kg_m3(**(at | {name: at[name] + step})) - density) ** 2 / 3.0
    return Air(density_kg_m3=density, u_density_kg_m3=math.sqrt(u2), origin="declared", **at)


def mpe_g(nominal_g: float, of_class: str) -> float:
    """Get the maximum permissible error ± in g of a weight. Raises ``OutOfDomain`` for what table 1 has not."""
    if of_class not in CLASSES:
        raise OutOfDomain(f"class {of_class}: there is none: {', '.join(CLASSES)}")
    if nominal_g not in MPE_MG:
        kilograms = f"; or enter grams, {1000.0 * nominal_g:g} for {nominal_g:g} kg" if nominal_g < 1.0 else ""
        raise OutOfDomain(
            f"{nominal_g:g} g: OIML R 111 has no weight of that size: give its uncertainty ({nominal_g:g}:u=0.005)"
            + kilograms
        )
    return MPE_MG[nominal_g][CLASSES.index(of_class)] / 1000.0


def parse_weight(text: str) -> Weight:
    """Get the weight that ``MASS_G[:CLASS|:u=U_G][:density=G_CM3]`` states; its class gives u = mpe/√3.

    Raises ``OutOfDomain``, one line with what to write instead.
    """
    mass, *more = [part.strip() for part in text.split(":")]
    mass_g = _number(text, "the mass", mass)
    if not 0.0 < mass_g <= 1e6:
        raise OutOfDomain(f"{text}: a weight has more than 0 g: {HOW}")
    u_g, stated, density = math.nan, "", 0.0
    for part in more:
        name, equals, value = part.partition("=")
        if not equals:
            u_g, stated = mpe_g(mass_g, part.upper()) / math.sqrt(3.0), f"class {part.upper()}"
        elif name == "u":
            u_g = _number(text, "u", value)
            stated = f"u = {u_g:g} g"
            if not 0.0 <= u_g < 0.01 * mass_g:
                raise OutOfDomain(f"{text}: u is the standard uncertainty in g, 0 or more and below 1 % of the mass")
        elif name == "density":
            density = _number(text, "density", value)
            low, high = WEIGHT_DENSITY_G_CM3
            if not low <= density <= high:
                raise OutOfDomain(f"{text}: density = {density:g}: give {low:g} to {high:g} g/cm³ (steel: 7.95)")
        else:
            raise OutOfDomain(f"{text}: {name} is unknown: {HOW}")
    if math.isnan(u_g):
        raise OutOfDomain(f"{text}: what is it good for? {HOW}")
    if density:
        # a stated density is taken to be good to 1 %, as a cylinder measured with a calliper is
        return Weight(
            mass_g=mass_g,
            u_mass_g=u_g,
            stated=stated,
            density_kg_m3=density * 1000.0,
            u_density_kg_m3=density * 10.0 / math.sqrt(3.0),
        )
    return Weight(mass_g=mass_g, u_mass_g=u_g, stated=stated)


def _number(text: str, what: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise OutOfDomain(f"{text}: {what} is no number: {HOW}")
    return number


def true_mass_g(weight: Weight) -> float:
    """Get the mass of a weight from its conventional mass: m = mc·(1 − 1.2/8000)/(1 − 1.2/ρ), OIML D 28, 4."""
    return (
        weight.mass_g
        * (1.0 - CONVENTIONAL_AIR_KG_M3 / CONVENTIONAL_STEEL_KG_M3)
        / (1.0 - CONVENTIONAL_AIR_KG_M3 / weight.density_kg_m3)
    )


def load_g(weight: Weight, air: Air) -> float:
    """Get what a load cell feels of a weight in g: m·(1 − ρ_air/ρ)."""
    return true_mass_g(weight) * (1.0 - air.density_kg_m3 / weight.density_kg_m3)


def u_load_g(weight: Weight, air: Air) -> float:
    """Get the standard uncertainty of :func:`load_g` that is this weight's own: its mass and its density.

    What the air's density leaves open is common to all weights: :func:`u_air_rel`.
    """
    # the load as a function of the density: its slope is (ρ_air − 1.2)/ρ², next to nothing in conventional air
    off = abs(air.density_kg_m3 - CONVENTIONAL_AIR_KG_M3) / weight.density_kg_m3**2 * weight.u_density_kg_m3
    return math.hypot(weight.u_mass_g, weight.mass_g * off)


def u_air_rel(density_kg_m3: float, air: Air) -> float:
    """Get the relative standard uncertainty of a load that is the air's."""
    return air.u_density_kg_m3 / density_kg_m3
