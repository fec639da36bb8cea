"""The chunks of raw samples decoded once more in plain Python: no numpy, no numba, nothing of edge.

Written from docs/evidence.md: an adaptive binary range decoder, and what each number is told from.
"""

from __future__ import annotations

import zlib


class Decoder:
    """The range decoder of a chunk, version 2."""

    def __init__(self, blob):
        if blob[0] != 2 or zlib.crc32(blob[:-4]) != int.from_bytes(blob[-4:], "little"):
            raise ValueError("no chunk of version 2")
        self.data, self.at = blob[:-4], 1
        self.frames, self.samples = self.length(), self.length()
        self.data = self.data[self.at :]
        self.wide, self.code, self.at = (1 << 32) - 1, int.from_bytes(self.data[:4].ljust(4, b"\0"), "big"), 4
        self.chance = [1 << 27] * (14 * 128)
        self.chance[1::128] = self.chance[2::128] = [7 << 25] * 14
        self.seen = [0] * (14 * 128)

    def length(self):
        value = shift = 0
        while True:
            byte, self.at = self.data[self.at], self.at + 1
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    def renew(self):
        while self.wide < 1 << 24:
            byte = self.data[self.at] if self.at < len(self.data) else 0
            self.wide, self.code, self.at = self.wide << 8, (self.code << 8 | byte) & 0xFFFFFFFF, self.at + 1

    def bit(self, context):
        chance, seen = self.chance[context], self.seen[context]
        bound = (self.wide >> 16) * (chance >> 12)
        share = (1 << 16) // (seen + 2)
        bit = self.code >= bound
        if bit:
            self.code, self.wide = self.code - bound, self.wide - bound
            chance -= (chance - (32 << 12)) * share >> 16
        else:
            self.wide = bound
            chance += (((1 << 16) - 32 << 12) - chance) * share >> 16
        self.chance[context], self.seen[context] = chance, min(seen + 1, 255)
        self.renew()
        return int(bit)

    def number(self, family):
        base = family * 128
        if not self.bit(base):
            return 0
        node = 1
        for _ in range(6):
            node = node << 1 | self.bit(base + node)
        left = node - 64
        if left == 0:
            return -1
        out, left = 2 | self.bit(base + 64 + left), left - 1
        while left > 0:
            step = min(left, 8)
            left, self.wide = left - step, self.wide >> step
            value = min(self.code // self.wide, (1 << step) - 1)
            self.code -= value * self.wide
            self.renew()
            out = out << step | value
        return (out >> 1) ^ -(out & 1)


def frames(blob):
    """The frames of a chunk: second, time in ns, good and bad samples, and the slow channels (value, status)."""
    d, out = Decoder(blob), []
    unit, pace = d.number(0), d.number(0)
    second, t_ns, t0_ns, count, slow = -1, 0, 0, 0, [0] * 9
    status = beat = mean = n_mean = spread = sample = 0
    for f in range(d.frames):
        usual = min(f, 1)
        step = 1 + d.number(usual)
        second, t_ns = second + step, t_ns + step * 1_000_000_000 + d.number(2 * usual)
        t0_ns = t0_ns if f else t_ns
        count += d.number(3 * usual)
        for i in range(9):
            slow[i] += d.number((4 + i % 3) * usual)
        start, grain, codes = (t_ns - t0_ns) // 1000 << 8, unit << 8, []
        for i in range(sample, sample + count):
            status += d.number(7)
            quarters = (4 * (beat - start) + 2 * grain) // grain
            units = quarters // 4 + d.number(9 + quarters % 4)
            off = start + units * grain - beat
            if i and 2 * abs(off) > pace > 0:
                missed = (2 * off + pace) // (2 * pace)
                off, beat = off - missed * pace, beat + missed * pace
            if pace:
                off = off >> 6 if i >> 6 else off // (i + 1)
            beat += off + pace
            expected = mean + 128 >> 8
            off = d.number(8 * min(i, 1))
            codes.append((expected + off, status))
            if n_mean and i >> 5 and abs(off) > 16 * spread >> 8:
                n_mean = 0
            else:
                n_mean += 1
                mean += off << 3 if n_mean >> 5 else (off << 8) // n_mean
                if n_mean > 1:
                    spread += (abs(off) << 8) - spread >> 5
        sample += count
        out.append((second, t_ns, codes, tuple(slow)))
    return out
