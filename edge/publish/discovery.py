"""How Home Assistant finds a rig by itself: one retained message that describes the device and its entities.

All of it is read from the rig's retained state; nothing that Home Assistant sends is listened to. This module must
never send anything.

Source: Home Assistant, MQTT integration: device discovery payload (2024.12 and later), sensor's device classes.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from edge import __version__
from edge.records.phase import Phase
from edge.records.result import Verdict
from edge.station.alarm_rules import Alarm

from .message import UNREACHABLE
from .settings import PublishSettings
from .topics import OFFLINE, ONLINE, Topics


class Entity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of a device's entities, by Home Assistant's own keys."""

    platform: str
    unique_id: str
    name: str
    value_template: str
    device_class: str | None = None
    state_class: str | None = None
    unit_of_measurement: str | None = None
    suggested_display_precision: int | None = None
    options: tuple[str, ...] | None = None
    payload_on: str | None = None
    payload_off: str | None = None
    entity_category: str | None = None
    expire_after: int | None = None


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """The rig as a device."""

    identifiers: tuple[str, ...]
    name: str
    manufacturer: str = "halfpercent"
    model: str = "mass loss under vacuum"
    sw_version: str = __version__


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What sent the discovery."""

    name: str = "halfpercent"
    sw_version: str = __version__


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """The whole message: one device with its entities."""

    device: Device
    origin: Origin
    components: dict[str, Entity]
    state_topic: str
    availability_topic: str
    payload_available: str = ONLINE
    payload_not_available: str = OFFLINE
    qos: int = 1


class _Number(NamedTuple):
    key: str
    name: str
    device_class: str | None
    unit: str
    digits: int


_NUMBERS = (
    _Number("mass_g", "Mass", "weight", "g", 3),
    _Number("temp_c", "Oven", "temperature", "°C", 1),
    _Number("cell_temp_c", "Load cell's temperature", "temperature", "°C", 1),
    _Number("pressure_pa", "Pressure", "pressure", "Pa", 1),
    _Number("loss_pct", "Loss so far", None, "%", 3),
    _Number("hold_s", "Hold", "duration", "s", 0),
)
_UNREACHED = f"'None' if value_json.state == '{UNREACHABLE}' else"
"""Of a station that does not answer nothing is known: not that it is idle, and not that there is no alarm. ``None`` is
Home Assistant's word for it."""
_MISSED = 3
"""A state that is this many times late is no state any more."""


def discovery(settings: PublishSettings) -> tuple[str, Discovery]:
    """Get the topic and the message by which Home Assistant finds this rig."""
    rig, topics = settings.rig_name, Topics(settings)
    expires = max(30, round(_MISSED * settings.state_every_s))
    components = {n.key: _number(rig, n, expires) for n in _NUMBERS}
    components["phase"] = _enum(
        rig, "phase", "Phase", ("idle", *map(str, Phase)), "value_json.phase or 'idle'", expires
    )
    verdicts = ("none", *map(str, Verdict))
    components["verdict"] = _enum(rig, "verdict", "Verdict", verdicts, "value_json.verdict or 'none'", None)
    components["storage_waiting"] = Entity(
        platform="sensor",
        unique_id=f"{rig}_pending_s",
        name="Waiting for the disk",
        value_template="{{ value_json.pending_s }}",
        device_class="duration",
        unit_of_measurement="s",
        entity_category="diagnostic",
        expire_after=expires,
    )
    for alarm in Alarm:
        components[f"alarm_{alarm.name.lower()}"] = Entity(
            platform="binary_sensor",
            unique_id=f"{rig}_alarm_{alarm.name.lower()}",
            name=f"Alarm: {alarm}",
            device_class="problem",
            value_template=f"{{{{ {_UNREACHED} 'ON' if '{alarm}' in value_json.alarms else 'OFF' }}}}",
            payload_on="ON",
            payload_off="OFF",
            expire_after=expires,
        )
    message = Discovery(
        device=Device(identifiers=(f"halfpercent-{rig}",), name=f"halfpercent {rig}"),
        origin=Origin(),
        components=components,
        state_topic=topics.state,
        availability_topic=topics.availability,
    )
    return f"{settings.discovery}/device/halfpercent-{rig}/config", message


def _number(rig: str, number: _Number, expires: int) -> Entity:
    return Entity(
        platform="sensor",
        unique_id=f"{rig}_{number.key}",
        name=number.name,
        value_template=f"{{{{ value_json.{number.key} }}}}",
        device_class=number.device_class,
        state_class="measurement",
        unit_of_measurement=number.unit,
        suggested_display_precision=number.digits,
        expire_after=expires,
    )


def _enum(rig: str, key: str, name: str, options: tuple[str, ...], value: str, expires: int | None) -> Entity:
    return Entity(
        platform="sensor",
        unique_id=f"{rig}_{key}",
        name=name,
        value_template=f"{{{{ {_UNREACHED} {value} }}}}",
        device_class="enum",
        options=options,
        expire_after=expires,
    )
