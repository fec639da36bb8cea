"""Frames: cutting and joining lose nothing, and one second is collected as the chips gave it."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_frames import random_frames, same

from edge.records.frame import NOT_FITTED, Frames, join, one_frame
from hw.protocols import Conversion, Reading, Status

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 30), recorded=st.booleans(), data=st.data())
def test_joining_what_was_cut_gives_the_same_frames(seed, n, recorded, data):
    frames = random_frames(np.random.default_rng(seed), n, recorded=recorded)
    edges = [0, *sorted(data.draw(st.lists(st.integers(0, n), max_size=6))), n]
    parts = [frames.cut(a, b) for a, b in pairwise(edges)]
    assert sum(len(p) for p in parts) == n
    assert all(p.first[0] == 0 and p.first[-1] == len(p.code) == len(p.status) == len(p.sample_us) for p in parts)
    assert same(join(parts), frames)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 20), at=st.integers(0, 19))
def test_a_frame_that_is_cut_out_has_its_own_samples(seed, n, at):
    frames = random_frames(np.random.default_rng(seed), n, recorded=False)
    at %= n
    one = frames.cut(at, at + 1)
    lo, hi = frames.first[at], frames.first[at + 1]
    assert (len(one), one.seq[0], one.t_ns[0]) == (1, frames.seq[at], frames.t_ns[at])
    assert one.code.tolist() == frames.code[lo:hi].tolist()
    assert one.oven.value[0] == frames.oven.value[at]


def test_a_cut_is_taken_as_a_slice_is():
    frames = random_frames(np.random.default_rng(1), 5, recorded=False)
    assert same(frames.cut(-2, 99), frames.cut(3, 5))
    for start, stop in ((3, 1), (5, 9), (2, 2)):
        nothing = frames.cut(start, stop)
        assert (len(nothing), nothing.first.tolist(), len(nothing.code)) == (0, [0], 0)


def test_nothing_cannot_be_joined():
    with pytest.raises(ValueError, match="no frames"):
        join([])


samples = st.lists(
    st.builds(
        Conversion,
        t_ns=st.integers(0, 10**9 - 1).map(lambda us: 7_000_000_000_000 + us),
        code=st.integers(-(2**23), 2**23 - 1),
        status=st.sampled_from(Status),
    ),
    max_size=12,
)
probes = st.builds(
    Reading,
    t_ns=st.just(7_000_000_000_000),
    code=st.integers(0, 2**15 - 1),
    fault=st.integers(0, 255),
    status=st.sampled_from(Status),
)


@settings(max_examples=60, deadline=None)
@given(seq=st.integers(0, 10**9), taken=samples, oven=probes, cell=probes)
def test_one_frame_keeps_codes_statuses_faults_and_times(seq, taken, oven, cell):
    frame = one_frame(seq, 7_000_000_000_000, taken, oven, cell)
    assert (len(frame), frame.seq.tolist(), frame.t_ns.tolist()) == (1, [seq], [7_000_000_000_000])
    assert frame.first.tolist() == [0, len(taken)]
    assert frame.code.tolist() == [s.code for s in taken]
    assert frame.status.tolist() == [s.status for s in taken]
    whole_ms = [(s.t_ns - 7_000_000_000_000) // 1_000_000 for s in taken]
    assert frame.sample_us.tolist() == [1000 * ms for ms in whole_ms]
    for channel, probe in ((frame.oven, oven), (frame.cell, cell), (frame.gauge, NOT_FITTED)):
        assert (channel.value.tolist(), channel.fault.tolist(), channel.status.tolist()) == (
            [probe.code],
            [probe.fault],
            [probe.status],
        )


def test_frames_taken_one_by_one_join_into_a_batch():
    taken = [[Conversion(10**9 * f + 1_000_000 * i, 100 * f + i, Status.OK) for i in range(f)] for f in range(4)]
    batch = join([one_frame(f, 10**9 * f, taken[f]) for f in range(4)])
    assert batch.first.tolist() == [0, 0, 1, 3, 6]
    assert batch.code.tolist() == [100, 200, 201, 300, 301, 302]
    assert batch.sample_us.tolist() == [0, 0, 1000, 0, 1000, 2000]


def test_what_is_compared_here_is_everything_that_frames_hold():
    frames = random_frames(np.random.default_rng(2), 4, recorded=False)
    for field in fields(Frames):
        assert not same(frames, changed(frames, field.name))


def changed(frames: Frames, name: str) -> Frames:
    values = {f.name: getattr(frames, f.name) for f in fields(Frames)}
    if name in ("oven", "cell", "gauge"):
        channel = values[name]
        values[name] = type(channel)(channel.value + channel.value.dtype.type(1), channel.fault, channel.status)
    else:
        values[name] = values[name] + values[name].dtype.type(1)
    return Frames(**values)
