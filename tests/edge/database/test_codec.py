"""The codec: every bit comes back at little more than its entropy, and what is damaged or newer is refused as such."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from random_frames import measured, random_frames, same
from repository import HELPERS

from edge.database import codec_v1
from edge.database import range_coder as rc
from edge.database.codec import MAX_FRAMES, MAX_SAMPLES, VERSION, decode, encode
from edge.errors import BadDatabase
from edge.records.frame import Channel, Frames

SEEDS = st.integers(0, 2**32 - 1)


def with_columns(of: Frames, **columns: Any) -> Frames:
    return Frames(**{name: columns.get(name, getattr(of, name)) for name in Frames.__slots__})


@settings(max_examples=80, deadline=None)
@given(seed=SEEDS, n=st.integers(0, 30), recorded=st.booleans())
def test_every_bit_comes_back(seed, n, recorded):
    frames = random_frames(np.random.default_rng(seed), n, recorded=recorded)
    assert same(decode(encode(frames)), frames)


EXTREME = st.sampled_from([-(2**31), -(2**23), -1, 0, 1, 2**23 - 1, 2**31 - 1])


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_the_chips_give_comes_back_in_version_2(data):
    counts = data.draw(st.lists(st.integers(0, 12), max_size=8))
    n_frames, n = len(counts), sum(counts)

    def column(kind: str, size: int, *usual: st.SearchStrategy[int]) -> np.ndarray:
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        elements = st.one_of(*usual, st.integers(int(low), int(high)))
        return data.draw(arrays(kind, size, elements=elements, fill=st.nothing()))

    def channel() -> Channel:
        return Channel(*(column(kind, n_frames, st.just(0)) for kind in ("<u2", "u1", "u1")))

    seqs = st.lists(st.integers(0, 2**32 - 1), min_size=n_frames, max_size=n_frames)
    times = st.lists(st.integers(-(2**61) + 1, 2**61 - 1), min_size=n_frames, max_size=n_frames)
    frames = Frames(
        seq=np.array(data.draw(seqs), "<i8"),
        t_ns=np.array(data.draw(times), "<i8"),
        first=np.concatenate(([0], np.cumsum(counts))).astype("<i8"),
        sample_us=column("<i4", n, st.integers(0, 2_000).map(lambda k: k * 500), EXTREME),
        code=column("<i4", n, st.integers(-100, 100), EXTREME),
        status=column("u1", n, st.just(0)),
        oven=channel(),
        cell=channel(),
        gauge=channel(),
    )
    blob = encode(frames)
    assert blob[0] == VERSION
    assert same(decode(blob), frames)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, rate_sps=st.sampled_from([10, 80, 320]), step_us=st.sampled_from([1, 100, 300, 500, 1_000]))
def test_a_quiet_rig_with_glitches_steps_and_lost_samples_comes_back(seed, rate_sps, step_us):
    rng = np.random.default_rng(seed)
    frames = measured(5, rate_sps, seed=seed, step_us=step_us)
    n = len(frames.code)
    code, status = frames.code.copy(), frames.status.copy()
    code[rng.random(n) < 0.03] = 2**23 - 1
    code[n // 3 :] += rng.integers(-(10**6), 10**6)
    status[rng.random(n) < 0.03] = 3
    lost = rng.random(n) < 0.05
    frame = np.repeat(np.arange(len(frames)), np.diff(frames.first))[~lost]
    kept = with_columns(
        frames,
        first=np.searchsorted(frame, np.arange(len(frames) + 1)).astype("<i8"),
        sample_us=frames.sample_us[~lost],
        code=code[~lost],
        status=status[~lost],
    )
    assert same(decode(encode(kept)), kept)


def test_what_version_2_has_no_place_for_comes_back_in_version_1():
    of = measured(3, 10)
    for frames in (
        with_columns(of, code=of.code * 0.1),
        with_columns(of, code=of.code.astype("<i8") << 30),
        with_columns(of, seq=of.seq + 2**32),
        with_columns(of, t_ns=of.t_ns + 2**61),
    ):
        blob = encode(frames)
        assert blob[0] == codec_v1.FIRST_BYTE
        assert same(decode(blob), frames)


def test_the_same_frames_give_the_same_blob():
    frames = random_frames(np.random.default_rng(5), 20, recorded=False)
    assert encode(decode(encode(frames))) == encode(frames)


def test_encoding_leaves_the_frames_as_they_are_and_needs_no_right_to_write():
    frames = measured(3, 10)
    columns = [frames.seq, frames.t_ns, frames.first, frames.sample_us, frames.code, frames.status, frames.oven.value]
    for column in columns:
        column.flags.writeable = False
    before = [column.tobytes() for column in columns]
    encode(frames)
    assert [column.tobytes() for column in columns] == before


def test_frames_without_a_sample_come_back():
    for frames in (random_frames(np.random.default_rng(6), 10, recorded=False), measured(4, 10)):
        empty = with_columns(
            frames,
            first=frames.first * 0,
            sample_us=frames.sample_us[:0],
            code=frames.code[:0],
            status=frames.status[:0],
        )
        assert same(decode(encode(empty)), empty)


# what it costs


@pytest.mark.parametrize("noise_code", [40.0, 60.0])
@pytest.mark.parametrize("rate_sps", [80, 320])
def test_five_seconds_take_at_most_a_fifth_more_than_the_entropy_of_their_noise(noise_code, rate_sps):
    chunks = [measured(5, rate_sps, noise_code=noise_code, seed=seed) for seed in range(20)]
    entropy_bits = math.log2(noise_code * math.sqrt(2 * math.pi * math.e))  # of a normal distribution
    bits = 8 * sum(len(encode(c)) for c in chunks) / sum(len(c.code) for c in chunks)
    assert bits <= 1.2 * entropy_bits


def test_what_is_regular_costs_next_to_nothing():
    frames = measured(3600, 80, jitter_us=0, noise_code=0.0, step_us=1)
    probes = [Channel(np.full(3600, 9_000, "<u2"), c.fault, c.status) for c in (frames.oven, frames.cell)]
    assert len(encode(with_columns(frames, oven=probes[0], cell=probes[1]))) < 0.03 * len(frames.code)


# the coder of whole numbers


@settings(max_examples=50, deadline=None)
@given(values=st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), max_size=200))
def test_any_whole_numbers_come_back_in_no_more_bytes_than_are_set_aside(values):
    out = np.zeros(rc.MOST_BYTES * len(values) + 16, np.uint8)
    coder, known = rc.encoder(), rc.contexts(2)
    for i, value in enumerate(values):
        rc.number(coder, out, known, i % 2, np.int64(value))
    data = np.frombuffer(bytearray(rc.written(coder, out)), np.uint8)
    coder, known = rc.decoder(data), rc.contexts(2)
    assert [int(rc.number(coder, data, known, i % 2, np.int64(0))) for i in range(len(values))] == values
    assert len(data) <= rc.MOST_BYTES * len(values) + 4
    assert rc.used(coder) >= len(data)


def test_a_number_that_was_never_expected_takes_no_more_bytes_than_are_set_aside():
    out = np.zeros(10**6, np.uint8)
    coder, known = rc.encoder(), rc.contexts(1)
    for _ in range(5):
        for value in (0, -1, 2**62):  # each teaches its contexts the contrary of the others
            for _ in range(300):
                rc.number(coder, out, known, 0, np.int64(value))
            before = int(coder[5])
            rc.number(coder, out, known, 0, np.int64(-(2**61) - 12345))
            assert int(coder[5]) - before <= rc.MOST_BYTES + 4  # four may have waited for a carry


AS_WITHOUT_THE_JIT = """
import hashlib, random, zlib
import numpy as np
from random_frames import measured, random_frames
from edge.database.codec import decode, encode
from edge.errors import BadDatabase
sha = hashlib.sha256()
drawn = random_frames(np.random.default_rng(3), 4, recorded=False)
for frames in (measured(2, 80, seed=1), measured(2, 80, step_us=1), drawn):
    blob = encode(frames)
    sha.update(blob + decode(blob).code.tobytes())
chance, body = random.Random(1), encode(measured(6, 10, seed=1))[:-4]
for _ in range(150):  # somebody else's numbers, with the checksum that belongs to them: none overflows
    bad = bytearray(body)
    for _ in range(2):
        bad[chance.randrange(3, 60)] = chance.choice((0, 254, 255))
    try:
        sha.update(decode(bytes(bad) + zlib.crc32(bad).to_bytes(4, 'little')).code.tobytes())
    except BadDatabase:
        sha.update(b"refused")
print(sha.hexdigest())
"""


def test_the_bytes_are_the_same_without_the_jit():
    def sha(disable: str) -> str:
        environment = os.environ | {"NUMBA_DISABLE_JIT": disable, "PYTHONPATH": str(HELPERS)}
        command = [sys.executable, "-W", "error::RuntimeWarning", "-c", AS_WITHOUT_THE_JIT]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert sha("1") == sha("0") != ""


# what is damaged, or newer


def read(blob: bytes) -> Frames | None:
    """Decode; ``None`` where the blob is refused. Any other error than ``BadDatabase`` comes through."""
    try:
        return decode(blob)
    except BadDatabase:
        return None


def sealed(body: bytes) -> bytes:
    """Give a body of version 2 the checksum that belongs to it."""
    return body + zlib.crc32(body).to_bytes(4, "little")


@settings(max_examples=300, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 6), kind=st.sampled_from(["quiet", "random", "recorded"]), data=st.data())
def test_a_damaged_blob_is_refused_or_still_gives_every_bit(seed, n, kind, data):
    drawn = random_frames(np.random.default_rng(seed), n, recorded=kind == "recorded")
    frames = measured(n, 10, seed=seed) if kind == "quiet" else drawn
    blob = bytearray(encode(frames))
    for at in data.draw(st.lists(st.integers(0, len(blob) - 1), min_size=1, max_size=4, unique=True)):
        blob[at] ^= data.draw(st.integers(1, 255))
    # A bit that deflate does not use may be another: then nothing is lost.
    got = read(bytes(blob))
    assert got is None or same(got, frames)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, quiet=st.booleans(), tail=st.binary(min_size=1, max_size=20), data=st.data())
def test_a_blob_that_is_cut_off_or_followed_by_something_is_refused(seed, quiet, tail, data):
    blob = encode(measured(2, 10, seed=seed) if quiet else random_frames(np.random.default_rng(seed), 4, recorded=True))
    with pytest.raises(BadDatabase, match="damaged"):
        decode(blob[: data.draw(st.integers(0, len(blob) - 1))])
    with pytest.raises(BadDatabase, match="damaged"):
        decode(blob + tail)


@settings(max_examples=500, deadline=None)
@given(data=st.data(), seed=SEEDS)
def test_a_damaged_body_below_an_intact_checksum_is_refused_or_gives_frames_that_fit(data, seed):
    body = bytearray(encode(measured(2, 10, seed=seed))[:-4])
    for at in data.draw(st.lists(st.integers(1, len(body) - 1), max_size=4, unique=True)):
        body[at] = data.draw(st.integers(0, 255))
    got = read(sealed(bytes(body)))
    assert got is None or fits(got)


@settings(max_examples=500, deadline=None)
@given(noise=st.binary(max_size=60), n_frames=st.integers(0, 127), n=st.integers(0, 127))
def test_noise_below_an_intact_checksum_is_refused_or_gives_frames_that_fit(noise, n_frames, n):
    for body in (bytes([VERSION, n_frames, n]) + noise, bytes([VERSION]) + noise):
        got = read(sealed(body))
        assert got is None or fits(got)


@settings(max_examples=200, deadline=None)
@given(blob=st.binary(max_size=80))
def test_noise_is_refused(blob):
    assert read(blob) is None


@pytest.mark.parametrize("n_frames", [1, MAX_FRAMES + 1, 2**35 - 1])
@pytest.mark.parametrize("n", [MAX_SAMPLES + 1, 10**9, 2**35 - 1])
def test_a_blob_that_claims_too_much_is_refused_before_room_is_made(n_frames, n):
    def leb128(value: int) -> bytes:
        return bytes(value >> k & 0x7F | 0x80 for k in range(0, 28, 7)) + bytes([value >> 28])

    with pytest.raises(BadDatabase, match="claims too much"):
        decode(sealed(bytes([VERSION]) + leb128(n_frames) + leb128(n) + b"\x00" * 20))


def test_a_version_1_that_inflates_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(codec_v1, "MAX_BYTES", 1 << 16)
    with pytest.raises(BadDatabase, match="damaged"):
        decode(zlib.compress(b"[" * (1 << 20)))
    with pytest.raises(ValueError, match="cut them"):
        encode(with_columns(measured(100, 80), code=np.zeros(len(measured(100, 80).code))))


@pytest.mark.parametrize(
    "blob",
    [b"", b"\x02", b"\x02\x00\x00", b"\x00" * 40, b"SQLite format 3\x00", zlib.compress(b""), zlib.compress(b"{}")],
)
def test_what_is_no_blob_is_refused(blob):
    with pytest.raises(BadDatabase, match="damaged"):
        decode(blob)


def test_a_newer_version_is_refused_and_says_what_to_do():
    newer = VERSION + 1
    header = json.loads(HEAD) | {"version": newer, "columns": "of a kind not known yet"}
    for blob in (
        bytes([newer]) + b"of a kind not known yet",
        zlib.compress(json.dumps(header).encode() + b"\n" + BODY),
    ):
        with pytest.raises(BadDatabase, match=f"version {newer}.*update halfpercent"):
            decode(blob)


# version 1


FRAMES = random_frames(np.random.default_rng(7), 3, recorded=False)
HEAD, BODY = zlib.decompress(codec_v1.encode(FRAMES)).split(b"\n", 1)


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
    for header in (value, {"version": 1, "columns": value}, {"version": value, "columns": []}):
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
