"""Published drivers by others, unmodified, on our chip models: a check of the models, not of them.

Only the time module they see is ours, so that a second of theirs costs none of ours.
"""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
from simulated_chips import RATIO, HxRig, NauRig, RtdRig, numbers, read

from hw.clock import NS_PER_S, SimClock
from hw.sim.i2c import SimI2C
from hw.sim.pins import SimRpiGpio
from hw.sim.spi import SimSpiDev
from hw.spi import SpiBus

QUIET = {"noise_v": 0.0, "power_up_step": 0.0, "power_up_gain": 0.0}
RATIOS = [RATIO, -2e-3, 0.0]


def fake_time(clock: SimClock) -> SimpleNamespace:
    def now_s() -> float:
        return clock.now_ns() / NS_PER_S

    return SimpleNamespace(sleep=clock.sleep_s, monotonic=now_s, time=now_s, perf_counter=now_s)


def our_codes(ratio: float) -> set[int]:
    rig = NauRig(lambda t: ratio, chip_settings=QUIET)
    rig.driver.open()
    return {s.code for s in numbers(read(rig.driver, rig.clock, 10))}


@pytest.mark.parametrize("ratio", RATIOS)
def test_cedargrove_nau7802_reads_what_we_read(ratio: float, monkeypatch: pytest.MonkeyPatch) -> None:
    cedargrove = pytest.importorskip("cedargrove_nau7802")
    rig = NauRig(lambda t: ratio, chip_settings=QUIET)
    monkeypatch.setattr(cedargrove, "time", fake_time(rig.clock))
    i2c = SimI2C(rig.bus)
    assert i2c.scan() == [0x2A]
    theirs = cedargrove.NAU7802(i2c, address=0x2A)
    assert theirs.chip_revision == 0x0F
    assert theirs.calibrate("INTERNAL")
    codes = set()
    for i in range(16):
        while not theirs.available():
            rig.clock.sleep_s(0.001)
        code = theirs.read()
        if i >= 6:  # it leaves the settling conversions to its user, and never sets CS
            codes.add(code / 2)  # it divides a 32-bit word by 128 where 256 makes it 24 bits
    assert codes == our_codes(ratio)


@pytest.mark.parametrize("ratio", RATIOS)
def test_nau7802_with_typed_registers_reads_what_we_read(ratio: float) -> None:
    package = pytest.importorskip("nau7802")
    typed_registers = pytest.importorskip("typed_registers")
    rig = NauRig(lambda t: ratio, chip_settings=QUIET)
    theirs = package.NAU7802(typed_registers.SMBusRegisterBus(rig.smbus))
    theirs.initialize()
    theirs.set_vldo(5)
    theirs.set_gain(7)
    theirs.set_crs(0)
    assert theirs.rev_id.rev_id == 0x0F
    theirs.set_calmod(0)
    theirs.set_cals(True)
    rig.clock.sleep_s(1.0)
    assert not theirs.cals
    assert not theirs.cal_err
    codes = set()
    for i in range(16):
        while not theirs.cycle_ready:
            rig.clock.sleep_s(0.001)
        code = theirs.adco.value
        if i >= 6:
            codes.add(code)
    assert codes == our_codes(ratio)


def test_adafruit_max31865_alone_reads_our_model(monkeypatch: pytest.MonkeyPatch) -> None:
    import adafruit_max31865

    rig = RtdRig(chip_settings={"noise_codes": 0.0})
    monkeypatch.setattr(adafruit_max31865, "time", fake_time(rig.clock))
    bus = SpiBus(rig.port)
    sensor = adafruit_max31865.MAX31865(bus, bus.select, wires=4, ref_resistor=430.0, filter_frequency=50)
    assert sensor.temperature == pytest.approx(120.0, abs=0.3)  # its bias has 10 ms; ours lags a little
    sensor.auto_convert = True
    rig.clock.sleep_s(0.2)
    assert sensor.temperature == pytest.approx(120.0, abs=0.04)
    assert sensor.fault == (False,) * 6
    rig.chip.open_rtd()
    rig.clock.sleep_s(0.2)
    assert sensor.fault[0]
    sensor.clear_faults()


def test_py_spidev_code_reads_our_model() -> None:
    rig = RtdRig()
    spi = SimSpiDev(rig.port)
    spi.open(0, 0)
    spi.mode = 3
    spi.max_speed_hz = 500_000
    spi.xfer2([0x80, 0xC1])
    rig.clock.sleep_s(0.2)
    _, high, low = spi.xfer2([0x01, 0, 0])
    assert (high << 8 | low) >> 1 == pytest.approx(rig.chip.true_code(0), abs=3)
    spi.close()


@pytest.mark.parametrize("ratio", RATIOS)
def test_hx711_gpiozero_reads_what_we_read_where_its_user_waits_for_ready(
    ratio: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = pytest.importorskip("hx711_gpiozero")
    rig = HxRig(lambda t: ratio, chip_settings={"noise_v": 0.0})
    # gpiozero's software SPI bus asks for the default factory whatever factory it is given.
    monkeypatch.setattr("gpiozero.Device.pin_factory", rig.pins)
    pins = {"clock_pin": 5, "miso_pin": 6, "mosi_pin": 20, "select_pin": 21}
    with package.HX711(**pins, pin_factory=rig.pins) as theirs:
        rig.clock.sleep_s(0.05)
        # It never looks whether a conversion waits, and the line is high then: all ones.
        assert theirs.raw_value & 0xFFFFFF == 0xFFFFFF
        for _ in range(3):
            while rig.pins.pin(6).state:
                rig.clock.sleep_s(0.001)
            assert theirs.raw_value & 0xFFFFFF == rig.chip.true_code(0) & 0xFFFFFF


@pytest.mark.parametrize("ratio", RATIOS)
def test_hx711_for_rpi_gpio_reads_what_we_read(ratio: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = HxRig(lambda t: ratio, chip_settings={"noise_v": 0.0})
    gpio = SimRpiGpio(rig.pins)
    package = ModuleType("RPi")
    package.GPIO = gpio
    monkeypatch.setitem(sys.modules, "RPi", package)
    monkeypatch.setitem(sys.modules, "RPi.GPIO", gpio)
    monkeypatch.delitem(sys.modules, "hx711", raising=False)
    module = pytest.importorskip("hx711", reason="the package hx711 (RPi.GPIO) is not installed")
    monkeypatch.setattr(module, "time", fake_time(rig.clock))
    theirs = module.HX711(dout_pin=6, pd_sck_pin=5, gain=128)
    # It returns False where it fails, so that a true zero looks like a failure: it drops neither.
    assert theirs.get_raw_data(3) == [rig.chip.true_code(0)] * 3 if ratio else True
    monkeypatch.delitem(sys.modules, "hx711", raising=False)


def test_py_spidevs_xfer_holds_chip_select_over_the_whole_list() -> None:
    rig = RtdRig()
    spi = SimSpiDev(rig.port)
    spi.mode = 1
    spi.xfer([0x80, 0xC1])
    rig.clock.sleep_s(0.2)
    _, high, low = spi.xfer([0x01, 0, 0])  # by one chip-select a byte this would be two commands more
    assert (high << 8 | low) >> 1 == pytest.approx(rig.chip.true_code(0), abs=3)


def test_rpi_gpio_takes_lists_of_channels_and_detects_edges() -> None:
    rig = HxRig(chip_settings={"noise_v": 0.0})
    gpio = SimRpiGpio(rig.pins)
    assert gpio.getmode() is None
    gpio.setmode(gpio.BCM)
    assert gpio.getmode() == gpio.BCM
    with pytest.raises(ValueError, match="invalid mode"):
        gpio.setmode(gpio.BOARD)
    gpio.setup([5, 20], gpio.OUT, initial=[gpio.LOW, gpio.HIGH])
    gpio.setup((6,), gpio.IN)
    assert [int(rig.pins.pin(n).state) for n in (5, 20)] == [0, 1]
    gpio.output((5, 20), gpio.LOW)
    assert int(rig.pins.pin(20).state) == 0
    with pytest.raises(RuntimeError, match="Number of channels"):
        gpio.output([5, 20], [0])
    gpio.add_event_detect(6, gpio.FALLING)
    with pytest.raises(RuntimeError, match="already enabled"):
        gpio.add_event_detect(6, gpio.FALLING)
    gpio.event_detected(6)
    seen = 0
    for _ in range(400):  # DOUT falls when a conversion is ready
        rig.clock.sleep_s(0.001)
        seen += gpio.event_detected(6)
    assert seen >= 1
    gpio.remove_event_detect(6)
    assert not gpio.event_detected(6)
    gpio.cleanup([5, 6])
    gpio.cleanup()
    assert gpio.getmode() is None


def test_rpi_gpio_code_reads_what_we_read() -> None:
    rig = HxRig(chip_settings={"noise_v": 0.0})
    gpio = SimRpiGpio(rig.pins)
    gpio.setwarnings(False)
    gpio.setmode(gpio.BCM)
    gpio.setup(5, gpio.OUT, initial=gpio.LOW)
    gpio.setup(6, gpio.IN, pull_up_down=gpio.PUD_UP)
    for _ in range(3):
        while gpio.input(6) == gpio.HIGH:
            rig.clock.sleep_s(0.001)
        word = 0
        for _ in range(24):
            gpio.output(5, gpio.HIGH)
            word = word << 1 | gpio.input(6)
            gpio.output(5, gpio.LOW)
        gpio.output(5, gpio.HIGH)
        gpio.output(5, gpio.LOW)
        assert word == rig.chip.true_code(0)
    gpio.cleanup()
