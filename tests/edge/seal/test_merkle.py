"""RFC 6962: the tree heads and proofs that Certificate Transparency's own implementations test with, and all sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.seal import merkle

LEAVES = [
    merkle.leaf_hash(bytes.fromhex(text))
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
"""And below: as data from transparency-dev/merkle, which took them from the RFC's reference implementation."""
HEADS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
INCLUDED = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}
CONSISTENT = {
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}


@pytest.mark.parametrize("size", range(9))
def test_the_head_of_the_published_tree(size: int) -> None:
    assert merkle.tree_head(LEAVES[:size]).hex() == HEADS[size]


@pytest.mark.parametrize(("index", "size"), INCLUDED)
def test_the_published_proofs_of_inclusion(index: int, size: int) -> None:
    proof = [bytes.fromhex(one) for one in INCLUDED[index, size]]
    assert merkle.inclusion_proof(LEAVES[:size], index) == proof
    assert merkle.is_included(LEAVES[index], index, size, proof, bytes.fromhex(HEADS[size]))


@pytest.mark.parametrize(("old", "size"), CONSISTENT)
def test_the_published_proofs_of_consistency(old: int, size: int) -> None:
    proof = [bytes.fromhex(one) for one in CONSISTENT[old, size]]
    assert merkle.consistency_proof(LEAVES[:size], old) == proof
    assert merkle.is_consistent(old, bytes.fromhex(HEADS[old]), size, bytes.fromhex(HEADS[size]), proof)


MANY = [merkle.leaf_hash(bytes([i])) for i in range(40)]


def test_each_leaf_of_each_tree_has_a_proof_and_no_other_place_has_it() -> None:
    for size in range(1, len(MANY)):
        head = merkle.tree_head(MANY[:size])
        for index in range(size):
            proof = merkle.inclusion_proof(MANY[:size], index)
            assert merkle.is_included(MANY[index], index, size, proof, head)
            for wrong in {index - 1, index + 1, index ^ 2, size} - {index}:
                assert not merkle.is_included(MANY[index], wrong, size, proof, head)
            assert not merkle.is_included(MANY[index], index, size, [*proof, MANY[0]], head)


@given(st.data())
def test_a_tree_that_was_rewritten_is_consistent_with_no_older_head(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, len(MANY)))
    old = data.draw(st.integers(1, size))
    changed = data.draw(st.integers(0, old - 1))
    old_head = merkle.tree_head(MANY[:old])
    assert merkle.is_consistent(
        old, old_head, size, merkle.tree_head(MANY[:size]), merkle.consistency_proof(MANY[:size], old)
    )
    rewritten = [*MANY[:changed], merkle.leaf_hash(b"another"), *MANY[changed + 1 : size]]
    left_out = [*MANY[:changed], *MANY[changed + 1 : size], merkle.leaf_hash(b"another")]
    for leaves in (rewritten, left_out):
        proof = merkle.consistency_proof(leaves, old)
        assert not merkle.is_consistent(old, old_head, size, merkle.tree_head(leaves), proof)
