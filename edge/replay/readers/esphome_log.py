"""ESPHome: a log with a line a reading, ``[12:00:01][D][sensor:094]: 'Weight': Sending state 18043.0 g with …``,
or ``'Weight' >> 18043.0 g`` of later versions.

Each line has its unit, so one sensor of masses and one of temperatures need no mapping. This module must never take a
line for a reading that does not say the value was sent.
"""

from __future__ import annotations

import re

from edge.replay.layout import ColumnHead, Head, Layout, LongForm

_COLOUR = r"(?:\x1b\[[0-9;]*m)*"
LINE = re.compile(
    rf"^{_COLOUR}\[(\d{{2}}:\d{{2}}:\d{{2}}(?:\.\d+)?)\]\[[A-Z]\]\[[^\]]*\]: "
    rf"'([^']{{1,80}})'(?:: Sending state| >>) (\S{{1,40}}) ?([^\s\x1b]{{0,20}})(?: with \d+ decimals? of accuracy)?"
    rf"{_COLOUR}\s*$"
)


class EspHomeLog:
    """What ``esphome logs`` shows, saved."""

    name = "ESPHome log"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by the first line that says that a state was sent."""
        if not any(LINE.search(line) for line in head.lines):
            return None
        columns = tuple(ColumnHead(n, n, "") for n in ("time", "sensor", "state", "unit"))
        return Layout(self.name, columns, 0, "", ".", long=LongForm(1, 2, 0, series=3, has_units=True), line=LINE)
