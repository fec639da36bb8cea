"""From a result by mass to one by the whole method: the visual check, the deviations, how much of the file was checked.

The criterion is two steps: no liquid is seen at the opening, then the mass loss. This module must never let a mass
speak for what nobody looked at, and never make a verdict more favourable.
"""

from __future__ import annotations

from msgspec import UNSET
from msgspec.structs import replace as with_fields

from edge.procedure.definition import EndedRun, RunDefinition
from edge.records.deviation import DeviationTold, StandardChecked, VisualCheckFound
from edge.records.invalid import Invalid, InvalidReason
from edge.records.result import ClaimTold, Result, Verdict

from .conclude import without_numbers
from .deviations import deviations
from .wording import whole_meaning


def by_whole_method(ended: EndedRun, result: Result) -> Result:
    """Get a result that was judged by its masses alone with what the whole method says of it.

    A liquid that was seen makes PASS and INCONCLUSIVE a FAIL, whatever the mass does. Else a contradiction of who the
    specimen is that nobody explained makes it INVALID.
    """
    definition = ended.definition
    found = visual_check(definition)
    result = with_fields(
        result,
        specimen=definition.specimen,
        claimed_class=_claimed_class(definition),
        subclasses=_subclasses(definition),
        handed_over=ended.hand_overs or UNSET,
        seen_before=definition.seen_before,
        visual_check=found,
        deviations=deviations(ended, result),
        standard_checked=_checked(definition),
    )
    unexplained = [d for d in result.deviations if d.unexplained]
    if unexplained and found is not VisualCheckFound.LIQUID_SEEN:
        result = _not_the_specimen(result, unexplained[0])
    by_mass = result.verdict
    if found is VisualCheckFound.LIQUID_SEEN and by_mass is not Verdict.INVALID:
        beside = result.without_declared
        if beside is not UNSET and beside is not None:
            beside = with_fields(beside, verdict=Verdict.FAIL)
        result = with_fields(
            result,
            verdict=Verdict.FAIL,
            mass_verdict=by_mass,
            without_declared=beside,
            would_decide=(),
            blind_spot=None,
        )
    if found is None:
        return result
    return with_fields(result, criterion=whole_meaning(result))


def _not_the_specimen(result: Result, contradiction: DeviationTold) -> Result:
    """Get a result as INVALID: it is not known that what was weighed is the specimen that it would be told of."""
    why = f"it is not known that the specimen is what was weighed: {contradiction.why}"
    if result.verdict is Verdict.INVALID:
        return with_fields(result, warnings=(*result.warnings, why))
    return without_numbers(result, Invalid(InvalidReason.SPECIMEN_CONTRADICTED, why))


def visual_check(definition: RunDefinition) -> VisualCheckFound | None:
    """Get what became of the visual check (None: nobody asked for one, or the sample is a dummy)."""
    if not definition.is_a_cell:
        return None
    check = None if definition.specimen is None else definition.specimen.visual_check
    if check is not None:
        return VisualCheckFound.LIQUID_SEEN if check.liquid_seen else VisualCheckFound.NO_LIQUID_SEEN
    return VisualCheckFound.NOT_RECORDED if definition.standard.asks("visual_check") else None


def _claimed_class(definition: RunDefinition) -> ClaimTold | None:
    name = None if definition.specimen is None else definition.specimen.claimed_class
    return None if name is None else ClaimTold(name=name, answer=definition.standard.answer_to_name(name))


def _subclasses(definition: RunDefinition) -> tuple[ClaimTold, ...]:
    names = () if definition.specimen is None else definition.specimen.subclasses
    return tuple(ClaimTold(name=name, answer=definition.standard.answer_to_subclass(name)) for name in names)


def _checked(definition: RunDefinition) -> StandardChecked:
    fields = [field for _, field in definition.standard.fields()]
    verified, assumed = sum(f.verified for f in fields), sum(f.assumed for f in fields)
    by = dict.fromkeys(field.verified_by for field in fields if field.verified_by is not None)
    return StandardChecked(
        verified=verified, unverified=len(fields) - verified - assumed, assumed=assumed, by=tuple(by)
    )
