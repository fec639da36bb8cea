"""Imports that are refused for a while: of what something takes wherever it is, and does not need.

On a machine with 512 MB a library that nobody calls is memory and seconds of every start. This module must never leave
an import refused behind it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def refused(*names: str) -> Iterator[None]:
    """Have the imports of modules refused meanwhile, but for those that are loaded already.

    ``names`` are whole, dots and all. Whoever imports one gets ``ModuleNotFoundError``, as where it is not installed.
    """
    ours = [name for name in names if name not in sys.modules]
    for name in ours:
        sys.modules[name] = None  # type: ignore[assignment]  # None is how Python is told to refuse
    try:
        yield
    finally:
        for name in ours:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)
