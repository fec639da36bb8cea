"""Home Assistant with nothing but its MQTT integration: prints what it holds of a rig, a JSON line a second.

Run by ``make home-assistant`` with Home Assistant's own Python, which has nothing of ours.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from types import MappingProxyType

from homeassistant import bootstrap, config_entries, core, loader
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.helpers import device_registry, entity_registry
from homeassistant.setup import async_setup_component


async def begun(folder: str, broker_port: int, http_port: int) -> core.HomeAssistant:
    """Start it in a folder of its own, with one broker, as its user interface would add it."""
    (Path(folder) / "configuration.yaml").touch()
    hass = core.HomeAssistant(folder)
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await loader.async_get_custom_components(hass)
    await bootstrap.async_load_base_functionality(hass)
    for domain in sorted(bootstrap.CORE_INTEGRATIONS):
        assert await async_setup_component(hass, domain, {}), domain
    await async_process_ha_core_config(hass, {})
    web = {"http": {"server_host": "127.0.0.1", "server_port": http_port}}  # MQTT's own dependency
    assert await async_setup_component(hass, "http", web)
    broker = config_entries.ConfigEntry(
        domain="mqtt",
        data={"broker": "127.0.0.1", "port": broker_port},
        version=1,
        minor_version=2,
        title="broker",
        source="user",
        unique_id=None,
        options={},
        discovery_keys=MappingProxyType({}),
        subentries_data=None,
    )
    await hass.config_entries.async_add(broker)
    await hass.async_start()
    return hass


def held(hass: core.HomeAssistant) -> dict[str, object]:
    """Get the devices, and each entity by its unique name with its state."""
    entities = {}
    for entity in entity_registry.async_get(hass).entities.values():
        state = hass.states.get(entity.entity_id)
        if state is not None:
            about = {key: state.attributes.get(key) for key in ("unit_of_measurement", "device_class", "options")}
            entities[entity.unique_id] = {"entity": entity.entity_id, "state": state.state} | about
    devices = [device.name for device in device_registry.async_get(hass).devices.values()]
    return {"devices": devices, "entities": entities}


async def main(broker_port: int, http_port: int, seconds: int) -> None:
    """Print what it holds, a line a second."""
    with tempfile.TemporaryDirectory() as folder:
        hass = await begun(folder, broker_port, http_port)
        for _ in range(seconds):
            await asyncio.sleep(1.0)
            print(json.dumps(held(hass)), flush=True)
        await hass.async_stop(force=True)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:4])))
