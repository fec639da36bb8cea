"""Corrections of what people declared: which facts enter no number and may be corrected after a run's end, and how.

Both values stay: the run's header and its result are what they were, and a correction is an event of its own. What
enters the result, or what was measured, is never corrected: it is judged or measured again. This module must never
change a stored value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from calibration.visible_text import NotAName, name_from
from edge.errors import BadValue

from .result import CorrectionTold, Result
from .specimen import Opening, Specimen, VisualCheck

MOST_CORRECTIONS = 100
"""Of one run."""

CORRECTABLE: Mapping[str, str] = MappingProxyType(
    {
        "sample": "the sample's name",
        "operator": "who tested it",
        "customer": "for whom",
        "series": "the series that the run belongs to",
        "specimen.maker": "who made it",
        "specimen.model": "its model",
        "specimen.serial": "its serial number",
        "specimen.chemistry": "its electrodes and electrolyte",
        "specimen.activation": "how it was activated",
        "specimen.opening.by": "who opened it",
        "specimen.opening.how": "how it was opened",
        "specimen.opening.where": "where it was opened",
        "specimen.visual_check.by": "who looked at it",
        "specimen.visual_check.remark": "what they remarked",
    }
)
"""What may be corrected, and what it is."""

_INSTEAD = (
    (("standard", "certificate"), "judge its raw samples anew by the right one: export it as CSV, then replay that"),
    (("claim", "class", "composition"), "it was answered in the result: test again, or write a note"),
    (
        ("mass", "m0", "m1", "m2", "density", "air", "blank", "weight", "opened", "liquid", "turned", "time", "start",
         "setting", "kind", "verdict", "loss", "hold", "temp", "pressure", "limit", "u_pct", "hand_over", "seal"),
        "it was measured, or is part of the result or of its evidence: test again, or write a note",
    ),
)  # fmt: skip
"""Words in the names of what is judged, measured or evidence, and what to do instead of correcting it."""


def require_correctable(name: str) -> None:
    """Raise ``BadValue``, with what to do instead, for what is no declared fact or enters the result."""
    if name in CORRECTABLE:
        return
    asked = name.lower()
    instead = next((what for words, what in _INSTEAD if any(word in asked for word in words)), None)
    if instead is not None:
        raise BadValue("field", name, f"is not corrected: {instead}")
    raise BadValue("field", name, f"is nothing that can be corrected: {', '.join(CORRECTABLE)}")


def corrected_value(name: str, value: str) -> str:
    """Get a corrected value as it is stored: one line in its normal form. Raises ``BadValue``."""
    require_correctable(name)
    try:
        return name_from(value)
    except NotAName as e:
        raise BadValue("value", value, str(e)) from e


def declared_value(name: str, settings: Mapping[str, Any], *, sample_id: str, operator: str) -> str | None:
    """Get what a run's header declares of a fact; None where it says nothing.

    Raises ``BadValue`` where the run has no record that could be corrected.
    """
    if name in ("sample", "operator"):
        return sample_id if name == "sample" else operator
    path = name.split(".")
    holder: Any = settings
    for part in path[:-1]:
        holder = holder.get(part) if isinstance(holder, dict) else None
        if holder is None:
            raise BadValue("field", name, "the run has no such record: say it in a note instead")
    value = holder.get(path[-1]) if isinstance(holder, dict) else None
    return value if isinstance(value, str) else None


def amended(result: Result, corrections: Sequence[CorrectionTold]) -> Result:
    """Get a result as it is shown: with the newest value of each corrected fact, and all corrections beside."""
    if not corrections:
        return result
    newest = {c.field: c.now for c in corrections}
    specimen = result.specimen
    if specimen is not None:
        specimen = _amended_specimen(specimen, newest)
    return msgspec.structs.replace(
        result,
        sample_id=newest.get("sample", result.sample_id),
        specimen=specimen,
        corrections=tuple(corrections),
    )


def _amended_specimen(specimen: Specimen, newest: Mapping[str, str]) -> Specimen:
    parts: dict[str, Opening | VisualCheck | None] = {
        "opening": specimen.opening,
        "visual_check": specimen.visual_check,
    }
    changes: dict[str, Any] = _within("specimen.", newest)
    for name, part in parts.items():
        if part is not None and (inner := _within(f"specimen.{name}.", newest)):
            changes[name] = msgspec.structs.replace(part, **inner)
    return msgspec.structs.replace(specimen, **changes)


def _within(prefix: str, newest: Mapping[str, str]) -> dict[str, str]:
    names = {name.removeprefix(prefix): value for name, value in newest.items() if name.startswith(prefix)}
    return {name: value for name, value in names.items() if "." not in name}
