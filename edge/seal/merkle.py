"""An append-only Merkle tree by RFC 6962, section 2.1: its head, and proofs about it.

Who has seen a head can be shown that a leaf is in it, and that a later head only adds to it. This module must never
sign, read or write anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY = hashlib.sha256().digest()
"""The head of a tree without leaves."""
MOST_PROOF = 64
"""No proof has more hashes."""


def leaf_hash(data: bytes) -> bytes:
    """Get the hash of a leaf (32 bytes)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Get the hash of two heads under one."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_head(leaves: Sequence[bytes]) -> bytes:
    """Get the head (32 bytes) of the tree with these hashes of leaves."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else EMPTY
    split = _split(len(leaves))
    return node_hash(tree_head(leaves[:split]), tree_head(leaves[split:]))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Get the proof that leaf ``index`` is in the tree, from the leaf upwards. Raises ``IndexError``."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), tree_head(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), tree_head(leaves[:split])]


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Get the proof that the tree's first ``old_size`` leaves are as they were. Raises ``IndexError``."""
    if not 0 <= old_size <= len(leaves):
        raise IndexError(old_size)
    return [] if old_size in (0, len(leaves)) else _subproof(leaves, old_size, whole=True)


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], head: bytes) -> bool:
    """Say whether a proof shows that a leaf is in the tree with this head (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for other in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(other, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, other)
        at, last = at >> 1, last >> 1
    return last == 0 and found == head


def is_consistent(old_size: int, old_head: bytes, size: int, head: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether a proof shows that a tree only added to an older one (RFC 9162, section 2.1.4.2)."""
    if not 0 <= old_size <= size:
        return False
    if old_size in (0, size):
        return not proof and old_head == (head if old_size == size else EMPTY)
    path = [old_head, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not path:
        return False
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old, new = path[0], path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, other)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_head and new == head


def _split(n: int) -> int:
    """Get the largest power of two below ``n`` (n > 1)."""
    return 1 << (n - 1).bit_length() - 1


def _subproof(leaves: Sequence[bytes], old_size: int, *, whole: bool) -> list[bytes]:
    if old_size == len(leaves):
        return [] if whole else [tree_head(leaves)]
    split = _split(len(leaves))
    if old_size <= split:
        return [*_subproof(leaves[:split], old_size, whole=whole), tree_head(leaves[split:])]
    return [*_subproof(leaves[split:], old_size - split, whole=False), tree_head(leaves[:split])]
