"""What a run is of and goes by: all that is known of it before its first frame.

This module must never hold what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calibration.certificate import Certificate
from edge.procedure.parameters import RunParameters
from edge.records.sample import Sample
from edge.standards.standard import Standard


@dataclass(frozen=True, slots=True)
class RunDefinition:
    """What a run is of and goes by: all that its result needs beside its frames.

    ``kind`` is ``test``, ``blank`` or ``simulated``; ``subtract`` the result of the blank run that is subtracted.
    """

    sample: Sample
    operator: str
    kind: str
    standard: Standard
    certificate: Certificate
    terms: RunParameters
    subtract: dict[str, Any] | None = None
