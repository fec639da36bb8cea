"""Home Assistant: a history downloaded as CSV, ``entity_id,state,last_changed``.

It has one value a row and writes a row only where a state has changed. Units are hardly ever in it, so each entity is
named by whoever replays it. This module must never hold a value: it says that the format writes changes only.
"""

from __future__ import annotations

from edge.replay.headings import split_heading
from edge.replay.layout import Head, Layout, LongForm, split_cells

ENTITY, STATE = "entity_id", "state"
CHANGED = "last_changed"
UNIT = "unit_of_measurement"
"""Not in the page's download, but in what others write in its form."""


class HomeAssistantHistory:
    """The download of the history page."""

    name = "Home Assistant history"

    def layout(self, head: Head) -> Layout | None:
        """Get the layout by its header's three names."""
        for separator in (",", ";", "\t"):
            names = split_cells(head.lines[0], separator) if head.lines else []
            if {ENTITY, STATE, CHANGED} <= set(names):
                entity, state, changed = (names.index(name) for name in (ENTITY, STATE, CHANGED))
                unit = names.index(UNIT) if UNIT in names else -1
                long = LongForm(entity, state, changed, unit, changes_only=True, has_units=unit >= 0)
                return Layout(self.name, tuple(map(split_heading, names)), 1, separator, long=long)
        return None
