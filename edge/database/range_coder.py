"""Whole numbers to bits and back, each at about the price of its surprise: an adaptive binary range coder.

A number is told by its length in bits, and each bit of that by what was usual so far; its lower bits are as
they are. Encoding and decoding are one walk: every function here takes the value and gives it back, and a
decoder ignores the one it is given. Integers only, so that the bytes are the same on every machine; no input
makes it read or write outside its arrays, or go on without end. It must never know what a number means.

Sources: G. N. N. Martin, "Range encoding" (1979); the carry as in LZMA (I. Pavlov); the estimate of a bit's
probability, (n0 + 1/2) / (n + 1) after n bits with n0 zeros, by Krichevsky and Trofimov (1981).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hw.compiled import call, compiled, compiled_inline

I8 = npt.NDArray[np.int64]
U1 = npt.NDArray[np.uint8]

CONTEXTS = 128  # of one family of numbers: is it 0; its length (63); its second bit (64)
MOST_BYTES = 19  # that a number can take: eight bits at eleven where each was the least expected, and 62 plain ones

_LOW, _RANGE, _CODE, _CACHE, _PENDING, _AT, _DECODING = range(7)
_FULL = 1 << 32
_TOP = 1 << 24
_EXTRA = 12  # bits of a chance beyond the 16 that are coded with
_LEAST, _MOST = 32 << _EXTRA, (1 << 16) - 32 << _EXTRA
_SEEN = 255  # after so many bits of a context the last ones count for more than the first: it follows what changes
_SHARE = (1 << 16) // np.arange(2, _SEEN + 3)  # of the newest bit in the chance of the next
_POSITIVE = (1 << 63) - 1


def encoder() -> I8:
    """Get the state of a coder that writes. Its bytes go to the array that is given with each number."""
    return np.array([0, _FULL - 1, 0, 0, 0, -1, 0], np.int64)


def decoder(data: U1) -> I8:
    """Get the state of a coder that reads ``data``; what is missing at its end counts as zeros."""
    head = data[:4].tobytes().ljust(4, b"\0")
    return np.array([0, _FULL - 1, int.from_bytes(head, "big"), 0, 0, 4, 1], np.int64)


def contexts(families: int) -> I8:
    """Get what is known before the first bit: of each context, the chance of a 0, and how many bits there were."""
    out = np.zeros((families * CONTEXTS, 2), np.int64)
    out[:, 0] = 1 << 15 + _EXTRA
    out[1::CONTEXTS, 0] = out[2::CONTEXTS, 0] = 7 << 13 + _EXTRA  # few numbers have more than 16 bits
    return out


def written(coder: I8, data: U1) -> bytes:
    """End a coder that writes into ``data``, and get its bytes: those that are needed, trailing zeros are not.

    Raises ``ValueError`` where ``data`` was too short.
    """
    low, high = int(coder[_LOW]), int(coder[_LOW] + coder[_RANGE] - 1)
    keep = (low ^ high).bit_length()
    coder[_LOW] = high >> (keep - 1) << (keep - 1) if keep else low
    for _ in range(5):
        call(_shift, coder, data)
    if used(coder) > len(data):
        raise ValueError("the array for what is coded is too short")
    return data[: used(coder)].tobytes().rstrip(b"\0")


def used(coder: I8) -> int:
    """Get how many bytes a coder has read, or made."""
    return int(coder[_AT])


@compiled
def number(coder: I8, data: U1, known: I8, family: int, value: Any) -> Any:
    """Code one whole number, −2⁶³ … 2⁶³−1, and get it back. Small ones, and ones that were usual, are cheap."""
    folded = (value << 1) ^ (value >> 63)  # 0, −1, 1, −2 … become 0, 1, 2, 3 …
    base = family * CONTEXTS
    if _bit(coder, data, known, base, folded != 0) == 0:
        return 0
    length = _length(folded) - 1
    node = 1
    for k in range(5, -1, -1):
        node = node << 1 | _bit(coder, data, known, base + node, length >> k & 1)
    length = node - 64
    if length == 0:
        return -1
    second = _bit(coder, data, known, base + 64 + length, folded >> (length - 1) & 1)
    out = np.int64(2 | second)
    left = length - 1
    while left > 0:
        step = min(left, 8)
        left -= step
        out = out << step | _without_jit(coder, data, step, folded >> left & ((1 << step) - 1))
    return (out >> 1 & _POSITIVE) ^ -(out & 1)


@compiled_inline
def _length(folded: int) -> int:
    """Get how many bits an unsigned number has, 1 … 64 (0 counts as 1: a decoder's is not known yet)."""
    if folded < 0:  # its highest bit is a sign to an int64
        return 64
    length = 1
    while folded >> length:
        length += 1
    return length


@compiled_inline
def _bit(coder: I8, data: U1, known: I8, context: int, bit: int) -> int:
    """Code one bit, by what is known of its context, and add it to that."""
    chance, seen = known[context, 0], known[context, 1]
    wide = coder[_RANGE]
    bound = (wide >> 16) * (chance >> _EXTRA)
    decoding = coder[_DECODING]
    if decoding:
        bit = coder[_CODE] >= bound
    if bit:
        if decoding:
            coder[_CODE] -= bound
        else:
            coder[_LOW] += bound
        wide -= bound
        chance -= (chance - _LEAST) * _SHARE[seen] >> 16
    else:
        wide = bound
        chance += (_MOST - chance) * _SHARE[seen] >> 16
    coder[_RANGE] = wide
    known[context, 0], known[context, 1] = chance, min(seen + 1, _SEEN)
    _renew(coder, data)
    return 1 if bit else 0


@compiled_inline
def _without_jit(coder: I8, data: U1, n: int, value: int) -> Any:
    """Code ``n`` bits (at most 8) of which nothing is known."""
    coder[_RANGE] >>= n
    if coder[_DECODING]:
        value = min(coder[_CODE] // coder[_RANGE], (1 << n) - 1)
        coder[_CODE] -= value * coder[_RANGE]
    else:
        coder[_LOW] += value * coder[_RANGE]
    _renew(coder, data)
    return value


@compiled_inline
def _renew(coder: I8, data: U1) -> None:
    """Make the range wide enough for the next bit: a byte goes out, or comes in."""
    while coder[_RANGE] < _TOP:
        coder[_RANGE] <<= 8
        if coder[_DECODING]:
            at = coder[_AT]
            byte = data[at] if at < len(data) else 0
            coder[_CODE] = (coder[_CODE] << 8 | byte) & (_FULL - 1)
            coder[_AT] = at + 1
        else:
            _shift(coder, data)


@compiled
def _shift(coder: I8, data: U1) -> None:
    """Move the highest byte of ``low`` out, once no carry can change it any more."""
    low = coder[_LOW]
    if low < _FULL - _TOP or low >= _FULL:
        carry = low >> 32
        at = coder[_AT]
        if 0 <= at < len(data):  # the first byte, before the array, is always 0 and is left out
            data[at] = (coder[_CACHE] + carry) & 0xFF
        at += 1
        for _ in range(coder[_PENDING]):
            if at < len(data):
                data[at] = (0xFF + carry) & 0xFF
            at += 1
        coder[_PENDING] = 0
        coder[_AT] = at
        coder[_CACHE] = low >> 24 & 0xFF
    else:
        coder[_PENDING] += 1
    coder[_LOW] = (low & (_TOP - 1)) << 8
