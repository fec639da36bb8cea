"""The short form of docs/safety.md, as terminal and page show it before a test on a real rig.

This module must never take silence for a yes: it only has the words.
"""

from __future__ import annotations

SHORT = (
    "Safety, in short (docs/safety.md has all of it):",
    "  An opened lithium cell at 120 °C in a vacuum can vent, burn and poison whoever opens the door.",
    "  State of charge as low as the method allows; what nobody knows is charged.",
    "  Sulfides give H2S with moisture, also at the venting: inert or dry, extraction, an alarm that is worn.",
    "  The pump's exhaust goes to extraction; a trap for solvent; a chamber that may burst nowhere near people.",
    "  The relay takes the heater's power. It does not measure the specimen, and does not stop a reaction.",
    "  A second, independent limiter on the oven, tried. Fuses and contactor by whoever may work on mains.",
    "  Somebody outside knows that this runs, what is in it, and whom to call.",
    "  If it vents, smokes or burns: do not open, power off from outside, out, door shut, call the fire service.",
)
