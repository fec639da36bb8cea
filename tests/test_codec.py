"""The codec: every bit comes back, and what is damaged or newer is refused as such."""

from __future__ import annotations

import json
import zlib

import numpy as np
import pytest
from frames import random_frames, same
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.codec import VERSION, decode, encode
from edge.errors import BadDatabase
from edge.frame import Frames

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=80, deadline=None)
@given(seed=SEEDS, n=st.integers(0, 30), recorded=st.booleans())
def test_every_bit_comes_back(seed, n, recorded):
    frames = random_frames(np.random.default_rng(seed), n, recorded=recorded)
    assert same(decode(encode(frames)), frames)


def test_the_same_frames_give_the_same_blob():
    frames = random_frames(np.random.default_rng(5), 20, recorded=False)
    assert encode(decode(encode(frames))) == encode(frames)


def test_frames_without_a_sample_come_back():
    frames = random_frames(np.random.default_rng(6), 10, recorded=False)
    empty = Frames(
        frames.seq, frames.t_ns, frames.first * 0, frames.sample_us[:0], frames.code[:0], frames.status[:0],
        frames.oven, frames.cell, frames.gauge,
    )  # fmt: skip
    assert same(decode(encode(empty)), empty)


def read(blob: bytes) -> Frames | None:
    """Decode; ``None`` where the blob is refused. Any other error than ``BadDatabase`` comes through."""
    try:
        return decode(blob)
    except BadDatabase:
        return None


@settings(max_examples=300, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 6), data=st.data())
def test_a_damaged_blob_is_refused_or_still_gives_every_bit(seed, n, data):
    frames = random_frames(np.random.default_rng(seed), n, recorded=bool(seed % 2))
    blob = bytearray(encode(frames))
    for at in data.draw(st.lists(st.integers(0, len(blob) - 1), min_size=1, max_size=4, unique=True)):
        blob[at] ^= data.draw(st.integers(1, 255))
    # A bit that deflate does not use may be another: then nothing is lost.
    got = read(bytes(blob))
    assert got is None or same(got, frames)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, tail=st.binary(min_size=1, max_size=20), data=st.data())
def test_a_blob_that_is_cut_off_or_followed_by_something_is_refused(seed, tail, data):
    blob = encode(random_frames(np.random.default_rng(seed), 4, recorded=False))
    with pytest.raises(BadDatabase, match="damaged"):
        decode(blob[: data.draw(st.integers(0, len(blob) - 1))])
    with pytest.raises(BadDatabase, match="damaged"):
        decode(blob + tail)


FRAMES = random_frames(np.random.default_rng(7), 3, recorded=False)
HEAD, BODY = zlib.decompress(encode(FRAMES)).split(b"\n", 1)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_header_below_an_intact_checksum_is_refused_or_gives_frames_that_fit(data):
    head = bytearray(HEAD)
    for at in data.draw(st.lists(st.integers(0, len(head) - 1), min_size=1, max_size=3, unique=True)):
        head[at] = data.draw(st.integers(0, 255) | st.sampled_from(list(b'0123456789"[]{},:.-eufi<>|VOSU')))
    got = read(zlib.compress(bytes(head) + b"\n" + BODY))
    assert got is None or fits(got)


def fits(frames: Frames) -> bool:
    n = len(frames.code)
    channels = [x for c in (frames.oven, frames.cell, frames.gauge) for x in (c.value, c.fault, c.status)]
    rising = frames.first[0] == 0 and frames.first[-1] == n and np.all(np.diff(frames.first) >= 0)
    lengths = {len(frames), len(frames.t_ns), len(frames.first) - 1, *map(len, channels)}
    return bool(rising) and len(lengths) == 1 and len(frames.sample_us) == len(frames.status) == n


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["seq", "<i8"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(value=json_values, body=st.binary(max_size=30))
def test_a_header_of_another_shape_is_refused(value, body):
    for header in (value, {"version": VERSION, "columns": value}, {"version": value, "columns": []}):
        with pytest.raises(BadDatabase):
            decode(zlib.compress(json.dumps(header).encode() + b"\n" + body))


@pytest.mark.parametrize(
    ("column", "entry"),
    [
        ("seq", ["seq", "<i8", 2]),
        ("first", ["first", "<i8", 3]),
        ("code", ["code", "|O", 1]),
        ("code", ["code", "u1,(2)u1", 1]),
        ("status", ["state", "|u1", 3]),
        ("seq", ["seq", "<i8", -1]),
        ("seq", ["seq", "<i8", 10**30]),
        ("seq", ["seq", "<i8", 3.0]),
        ("seq", ["seq", "<i8"]),
        ("seq", None),
    ],
)
def test_a_column_that_does_not_fit_is_refused(column, entry):
    header = json.loads(HEAD)
    header["columns"] = [entry if c[0] == column else c for c in header["columns"]]
    with pytest.raises(BadDatabase, match="damaged"):
        decode(zlib.compress(json.dumps(header).encode() + b"\n" + BODY))


def test_deep_nesting_is_refused():
    with pytest.raises(BadDatabase):
        decode(zlib.compress(b"[" * 200_000 + b"\n"))


@pytest.mark.parametrize("blob", [b"", b"\x00" * 40, b"SQLite format 3\x00", zlib.compress(b""), zlib.compress(b"{}")])
def test_what_is_no_blob_is_refused(blob):
    with pytest.raises(BadDatabase, match="damaged"):
        decode(blob)


def test_a_newer_version_is_refused_and_says_what_to_do():
    header = json.loads(HEAD) | {"version": VERSION + 1, "columns": "of a kind not known yet"}
    with pytest.raises(BadDatabase, match=f"version {VERSION + 1}.*update halfpercent"):
        decode(zlib.compress(json.dumps(header).encode() + b"\n" + BODY))
