"""What a command that makes many records, or imports much, spares itself.

This module must never be used by what runs for days: there a circle would stay.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_circles() -> Iterator[None]:
    """Look for no circles among hundreds of thousands of records that have none: that is a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
