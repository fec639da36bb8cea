"""Following a free-running converter: when to look for the next conversion, and what a code may be.

The HX711 and the NAU7802 convert at their own pace, with an oscillator that may be off by a sixth. This
module keeps step with it by looking, counts what was missed, and gives each code its status. It must
never touch a bus or a pin, and must never change a code.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.clock import NS_PER_S, Clock
from hw.protocols import CODE_MAX, CODE_MIN, Status

STUCK_AFTER = 50
"""So many identical codes in a row are a fault.

The chips' own noise is 10 to 40 codes rms at gain 128, so two equal codes in a row have a chance of
about 0.03. Even with 0.5 codes rms, quieter than either chip at any gain, 50 in a row come by chance
once in about 2000 tests of six hours at 10 SPS.
"""


_OK = Status.OK  # an enum's attribute costs as much as the rest of what is done to a sample


@dataclass
class Counters:
    """What happened on the way to the samples since the driver was made."""

    retries: int = 0
    """Transfers that had to be repeated."""
    missed: int = 0
    """Conversions that the chip made and nobody read."""
    resets: int = 0
    """Times the chip was found reset, or had to be reset, and was set up again."""
    bus_errors: int = 0
    """Transfers given up after the bounded retries."""


class Follower:
    """Keeps step with a converter and judges its codes.

    ``step_s`` is how long to sleep between two looks: 1 % of the conversion period, at least 0.1 ms.
    It is the uncertainty of a sample's time.
    """

    def __init__(self, clock: Clock, rate_sps: float, counters: Counters) -> None:
        self.period_ns = round(NS_PER_S / rate_sps)
        self.step_s = max(0.01 / rate_sps, 1e-4)
        self._clock = clock
        self._counters = counters
        self._step_ns = round(self.step_s * NS_PER_S)
        # How long before "last + nominal period" to look first. Learned, because the chip's clock is
        # not ours: the aim is one look too early and one just after the conversion.
        self._lead_ns = self._step_ns
        self._most_lead_ns = self.period_ns // 3
        self._grow_ns = self._step_ns
        self._look_ns = 0
        self._in_time = False
        self._last_ns = 0
        # The longer of the last two gaps between conversions whose time is known to one step.
        self._pace_ns = 0
        self._gap_ns = 0
        self._exact = False
        self._last_code: int | None = None
        self._run = 0
        self._settle_left = 0
        self._settle_until_ns = 0
        self._rail_high = CODE_MAX
        self._rail_low = CODE_MIN

    def wait(self, now_ns: int, deadline_ns: int) -> None:
        """Sleep from ``now_ns`` until just before the next conversion is due, at most until ``deadline_ns``."""
        look_ns = self._look_ns
        wait_ns = (look_ns if look_ns < deadline_ns else deadline_ns) - now_ns
        self._in_time = wait_ns > 0
        if wait_ns > 0:
            self._clock.sleep_s(wait_ns / NS_PER_S)

    def overdue(self, unready_ns: int) -> bool:
        """Get whether a conversion still not ready at ``unready_ns`` is later than its clock explains.

        The margin, 5 % of a period and 1 ms, is for a host that sleeps too long. False until the pace is
        known from two conversions that were both seen to get ready.
        """
        late_ns = unready_ns - self._last_ns - self._pace_ns
        return self._last_ns > 0 and self._pace_ns > 0 and late_ns > self.period_ns // 20 + 1_000_000

    def waited(self, t_ns: int) -> bool:
        """Get whether a conversion that is ready at ``t_ns`` may have been so for half a period or more."""
        due_ns = self._last_ns + self.period_ns - self._lead_ns
        return not self._last_ns or 2 * (t_ns - due_ns) > self.period_ns

    def unseen_ns(self, t_ns: int) -> int:
        """Get how long before ``t_ns`` the last conversion was found (0 where none was)."""
        return t_ns - self._last_ns if self._last_ns else 0

    def found(self, t_ns: int, looks: int) -> None:
        """Take note that a conversion was found ready at ``t_ns`` on the ``looks``-th look."""
        gap_ns = t_ns - self._last_ns if self._last_ns else 0
        exact = looks > 1
        if 2 * gap_ns > 3 * self.period_ns:
            self._counters.missed += round(gap_ns / self.period_ns) - 1
        elif gap_ns and self._in_time:
            self._learn(looks)
            if exact and self._exact:
                self._pace_ns = max(gap_ns, self._gap_ns)
                self._gap_ns = gap_ns
        self._exact = exact
        self._last_ns = t_ns
        self._look_ns = t_ns + self.period_ns - self._lead_ns

    def _learn(self, looks: int) -> None:
        if looks == 1:
            # It was ready before we looked, nobody knows since when: look earlier, ever faster.
            self._lead_ns += self._grow_ns
            self._grow_ns *= 2
        else:
            self._grow_ns = self._step_ns
            if looks == 2:  # as it is to be
                return
            self._lead_ns -= (looks - 2) * self._step_ns
        if abs(self._lead_ns) > self._most_lead_ns:
            self._lead_ns = self._most_lead_ns if self._lead_ns > 0 else -self._most_lead_ns

    def settle(self, conversions: int = 0, for_ns: int = 0) -> None:
        """Call all conversions within ``for_ns`` from now, and ``conversions`` after them, settling."""
        self._settle_left = max(self._settle_left, conversions)
        self._settle_until_ns = max(self._settle_until_ns, self._clock.now_ns() + for_ns)
        self._look_ns = 0
        self._last_ns = 0
        self._last_code = None

    def set_rails(self, low: int, high: int) -> None:
        """Set the codes at and beyond which a sample is saturated."""
        self._rail_low, self._rail_high = low, high

    def judge(self, t_ns: int, code: int) -> Status:
        """Get the status of ``code`` read at ``t_ns``: settling, saturated, stuck or ok."""
        if self._settle_left or t_ns < self._settle_until_ns:
            if t_ns >= self._settle_until_ns:
                self._settle_left -= 1
            self._last_code = None
            return Status.SETTLING
        if code == self._last_code:
            self._run += 1
        else:
            self._last_code = code
            self._run = 1
        if code >= self._rail_high or code <= self._rail_low:
            return Status.SATURATED
        return Status.STUCK if self._run >= STUCK_AFTER else _OK
