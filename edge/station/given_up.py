"""When the station is not started any more: the relay is held open, the lamp lit, and the reason said.

systemd starts this when the station's own unit has failed for good. The relay is open by then, since nobody holds its
line; what is shown here is that this is so, and why. This module must never energise the relay, and never begin to
measure.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from hw.panel import Panel

FEED_S = 1.0


def what_happened(environment: Mapping[str, str]) -> str:
    """Get one line of what became of the station, as systemd says (systemd.exec(5), ``MONITOR_…``), and what to do."""
    result = environment.get("MONITOR_SERVICE_RESULT", "")
    how, status = environment.get("MONITOR_EXIT_CODE", ""), environment.get("MONITOR_EXIT_STATUS", "")
    unit = environment.get("MONITOR_UNIT", "halfpercent.service").removesuffix(".service")
    if status == "78":
        why, remedy = "its settings are wrong", f"halfpercent check-config, then sudo systemctl start {unit}"
    else:
        ended = f" ({how} {status})" if how or status else ""
        why = f"it failed too often, the last time by {result}{ended}" if result else "nobody says why"
        remedy = f"journalctl -u {unit}, then sudo systemctl reset-failed {unit} and sudo systemctl start {unit}"
    return f"the station has stopped for good: {why}; the relay is open: {remedy}"


def hold_open(panel: Panel | None, over: threading.Event) -> None:
    """Keep the relay open and the lamp lit until ``over`` is set; without a panel there is nothing to hold.

    Raises ``BusError`` where the pins cannot be had.
    """
    if panel is None:
        over.wait()
        return
    with panel:
        while True:
            panel.feed(healthy=False)
            if over.wait(FEED_S):
                return
