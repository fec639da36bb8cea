"""Where each message goes: one tree a rig, beneath the topic of the settings."""

from __future__ import annotations

from dataclasses import dataclass

from .settings import PublishSettings

ONLINE, OFFLINE = "online", "offline"
"""What a rig's availability says; the second is its last will."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one rig."""

    settings: PublishSettings

    @property
    def base(self) -> str:
        """Get the beginning of all of them."""
        return f"{self.settings.topic}/{self.settings.rig_name}"

    @property
    def second(self) -> str:
        """Get where seconds go."""
        return f"{self.base}/second"

    @property
    def event(self) -> str:
        """Get where events of runs and of the station go."""
        return f"{self.base}/event"

    @property
    def result(self) -> str:
        """Get where results go."""
        return f"{self.base}/result"

    @property
    def state(self) -> str:
        """Get where the retained state goes."""
        return f"{self.base}/state"

    @property
    def checkpoint(self) -> str:
        """Get where the retained head of the log of seals goes."""
        return f"{self.base}/checkpoint"

    @property
    def doctor(self) -> str:
        """Get where the retained findings go."""
        return f"{self.base}/doctor"

    @property
    def availability(self) -> str:
        """Get where the retained availability goes."""
        return f"{self.base}/availability"
