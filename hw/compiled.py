"""Kernels, compiled where that can be done: a compiler is a convenience, and never a condition of measuring.

A kernel is a plain Python function of ``+ − × ÷ √``, comparisons and loops, which numba compiles and keeps for the next
start. What is kept is believed only by its checksum: a cache that is truncated, damaged, on a full disk or has no place
is put aside with a warning, and the kernel is compiled without. Where nothing can be compiled at all, because numba or
its compiler is not there or fails, the same function runs in Python: the same bits, later. This module must never let a
mistake of the compiler's or of its cache's end what calls a kernel.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pickle
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .refused_import import refused

_log = logging.getLogger("halfpercent")
_said: set[str] = set()

try:
    with warnings.catch_warnings(record=True) as _warned:  # numba shows a traceback where it cannot read its settings
        warnings.simplefilter("default")
        import numba
        from numba.core.caching import CompileResultCacheImpl, FunctionCache
        from numba.core.dispatcher import Dispatcher
        from numba.core.serialize import dumps
    for _warning in _warned:
        _log.warning("numba: %s", str(_warning.message).split("\n")[0].encode("unicode_escape").decode("ascii"))

    WHY_NOT = ""
except Exception as e:  # missing, half installed, of another processor: whatever it is, it is no reason to stop
    WHY_NOT = f"{type(e).__name__}: {(str(e).splitlines() or [''])[0]}"

Kernel = Callable[..., Any]
_kernels: list[Kernel] = []
_proven: set[int] = set()
_python: list[str] = [WHY_NOT] if WHY_NOT else []


def why_python() -> str:
    """Get why kernels run in Python, in a line; '' where they are compiled."""
    if not WHY_NOT and numba.config.DISABLE_JIT:
        return "NUMBA_DISABLE_JIT is set"
    return _python[0] if _python else ""


def compiled(function: Kernel) -> Kernel:
    """Make a kernel of a function; it is compiled at its first call, or loaded from what an earlier process kept."""
    return _compiled(function)


def compiled_inline(function: Kernel) -> Kernel:
    """Make a kernel of a function that is to be part of each kernel that calls it."""
    return _compiled(function, inline="always")


def call(kernel: Kernel, *args: Any) -> Any:
    """Call a kernel from Python. Where it cannot be compiled, all kernels run in Python from then on.

    Raises what the kernel itself raises.
    """
    try:
        if _proven:
            out = kernel(*args)
        else:  # numba looks for scipy's BLAS and cffi at its first call, which takes a third of that; no kernel has any
            with refused("scipy.linalg.cython_blas", "cffi"):
                out = kernel(*args)
    except Exception as e:
        if WHY_NOT or not isinstance(kernel, Dispatcher) or id(kernel) in _proven:
            raise
        _fall_back(e)
        return kernel.py_func(*args)
    _proven.add(id(kernel))
    return out


def _compiled(function: Kernel, **options: str) -> Kernel:
    if WHY_NOT:
        _warn_python()
        return function
    # "numpy": a division by 0 is IEEE 754's, as in C, and not an exception.
    kernel: Any = numba.njit(nogil=True, error_model="numpy", **options)(function)
    if isinstance(kernel, Dispatcher):  # else NUMBA_DISABLE_JIT is set
        _kernels.append(kernel)
        try:
            vars(kernel)["_cache"] = _CheckedCache(function)
        except Exception as e:  # numba has no place for it
            _warn("cache", f"what is compiled cannot be kept for the next start, which then takes longer: {e}")
    made: Kernel = kernel
    return made


def _fall_back(error: Exception) -> None:
    """Put the plain functions in the kernels' places, so that they call each other as such."""
    lines = str(error).splitlines() or [""]
    _python.append(f"{type(error).__name__}: {lines[0]}")
    _warn_python()
    for kernel in _kernels:
        function = kernel.py_func  # type: ignore[attr-defined]  # a dispatcher's
        setattr(sys.modules[function.__module__], function.__name__, function)


def _warn_python() -> None:
    _warn("python", f"nothing can be compiled ({_python[0]}): the same sums are done in Python, and take longer")


def _warn(what: str, line: str) -> None:
    """Say something once."""
    if what not in _said:
        _said.add(what)
        _log.warning("%s", line)


if not WHY_NOT:

    class _CheckedImpl(CompileResultCacheImpl):  # type: ignore[misc]  # numba has no types
        """A kernel's machine code as it is kept: with a checksum, for a flipped bit of it would be run."""

        def reduce(self, cres: Any) -> tuple[bytes, bytes]:
            kept: bytes = dumps(super().reduce(cres))
            return hashlib.sha256(kept).digest(), kept

        def rebuild(self, target_context: Any, payload: Any) -> Any:
            digest, kept = payload
            if hashlib.sha256(kept).digest() != digest:
                raise ValueError("its checksum is wrong")
            return super().rebuild(target_context, pickle.loads(kept))

    class _CheckedCache(FunctionCache):  # type: ignore[misc]  # numba has no types
        """What an earlier process compiled. Whatever is wrong with it is a warning."""

        _impl_class = _CheckedImpl

        def load_overload(self, sig: Any, target_context: Any) -> Any:
            try:
                return super().load_overload(sig, target_context)
            except Exception as e:
                _warn(
                    "broken", f"{self.cache_path}: what was compiled is broken ({e}): it is put aside and compiled anew"
                )
                self._put_aside()
                return None

        def save_overload(self, sig: Any, data: Any) -> None:
            try:
                super().save_overload(sig, data)
            except Exception as e:
                _warn(
                    "cache",
                    f"{self.cache_path}: what is compiled cannot be kept for the next start ({e}): make room there",
                )

        def _put_aside(self) -> None:
            """Rename this kernel's files, or remove them; where neither can be done they are not asked again."""
            for path in Path(self.cache_path).glob(f"{self._impl.filename_base}.*"):
                if path.suffix == ".broken":
                    continue
                try:
                    path.replace(path.with_name(f"{path.name}.broken"))
                except OSError:
                    with contextlib.suppress(OSError):
                        path.unlink()
                if os.path.lexists(path):
                    self.disable()
