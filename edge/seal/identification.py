"""The identification of the legally relevant part of this software (OIML D 31, WELMEC 7.2).

It goes up by one whenever the same raw codes may give another result, and only then. What forces it up is no habit: a
test computes the results of stored runs anew and compares their digest with the one kept beside this number. So a
comment or a page may change as it likes, and a figure may not. This module must never import anything: the line of
the version shows it.
"""

from __future__ import annotations

IDENTIFICATION = 1
"""Of the part that makes a result from raw codes: fold, phases, corrections, budget, rule."""
DIGEST = "8f35edd571d3d58a516b3c82d9f7eb3434f75f43715f671d986913c0b477cf13"
"""Of the results that it makes of the stored runs (tests/end_to_end/test_identification.py)."""
