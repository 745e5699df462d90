import pytest
from msgspec.structs import replace

from blink_cli.audio.devices.health import DeviceRecovered, DeviceTrouble, DeviceWatch, Trouble
from blink_cli.audio.devices.interface import DeviceParameters, DevicePlace, DeviceReading

pytestmark = pytest.mark.no_clock

REAL = DeviceParameters("Headset", 48_000, 1, virtual=False)
VIRTUAL = DeviceParameters("silence", 48_000, 1, virtual=True)


def reading(frames: int, *, running: bool = True, failure: str | None = None) -> DeviceReading:
    return DeviceReading(
        running=running, frames=frames, lost_frames=0, queued_frames=0, latency_s=0.0, failure=failure
    )


def moving(watch: DeviceWatch, start_s: float, seconds: float, silent_s: float = 0.0) -> list[object]:
    """Feed a device that runs, four times a second, and return what was found."""
    found: list[object] = []
    for step in range(int(seconds * 4)):
        now_s = start_s + step / 4
        found.extend(watch.observe(reading(1 + int(now_s * 48_000)), now_s, silent_s=silent_s))
    return found


def test_a_device_that_runs_is_no_news() -> None:
    assert moving(DeviceWatch(REAL, 0.0), 0.0, 60.0) == []


def test_an_end_of_the_stream_is_told_once() -> None:
    watch = DeviceWatch(REAL, 0.0)
    moving(watch, 0.0, 5.0)
    gone = reading(240_000, failure="The sound system ended the output device Headset.")
    (change,) = watch.observe(gone, 5.0)
    assert isinstance(change, DeviceTrouble)
    assert change.kind is Trouble.GONE
    assert "Headset" in change.reason
    assert watch.observe(gone, 5.25) == ()


def test_standing_still_is_told_and_so_is_its_end() -> None:
    watch = DeviceWatch(REAL, 0.0)
    moving(watch, 0.0, 5.0)
    assert watch.observe(reading(7), 5.0) == ()
    assert watch.observe(reading(7), 5.9) == ()
    (change,) = watch.observe(reading(7), 6.2)
    assert isinstance(change, DeviceTrouble)
    assert change.kind is Trouble.STALLED
    assert watch.observe(reading(7), 9.0) == ()
    assert watch.observe(reading(8), 9.25) == (DeviceRecovered(Trouble.STALLED),)
    assert watch.trouble is None


def test_a_trouble_that_becomes_another_one_has_ended() -> None:
    watch = DeviceWatch(REAL, 0.0)
    moving(watch, 0.0, 5.0)
    watch.observe(reading(7), 5.0)
    watch.observe(reading(7), 6.2)
    ended, begun = watch.observe(reading(7, failure="The sound system ended it."), 6.5)
    assert ended == DeviceRecovered(Trouble.STALLED)
    assert isinstance(begun, DeviceTrouble)
    assert begun.kind is Trouble.GONE


def test_a_sound_server_may_take_its_time_to_start() -> None:
    watch = DeviceWatch(REAL, 0.0)
    assert [watch.observe(reading(0), now_s) for now_s in (0.0, 1.0, 2.0, 2.9)] == [()] * 4
    assert watch.observe(reading(0), 3.1) != ()


def test_a_device_that_was_stopped_is_not_stalled() -> None:
    watch = DeviceWatch(REAL, 0.0)
    moving(watch, 0.0, 5.0)
    assert watch.observe(reading(7, running=False), 60.0) == ()


def test_a_microphone_of_zeros_is_noticed_unless_it_is_virtual() -> None:
    (change,) = moving(DeviceWatch(REAL, 0.0), 0.0, 6.0, silent_s=6.0)
    assert isinstance(change, DeviceTrouble)
    assert change.kind is Trouble.ONLY_ZEROS
    assert moving(DeviceWatch(VIRTUAL, 0.0), 0.0, 6.0, silent_s=600.0) == []
    assert moving(DeviceWatch(REAL, 0.0), 0.0, 6.0, silent_s=2.0) == []


def test_zeros_of_the_device_before_are_not_this_ones_fault() -> None:
    assert moving(DeviceWatch(REAL, 100.0), 100.0, 4.0, silent_s=60.0) == []


@pytest.mark.parametrize(
    ("chosen", "place", "named"),
    [
        ("Headset", "Built-in", "Built-in"),
        ("Headset?channel=2", "Headset", "Headset?channel=2"),
        ("default", "Built-in", "default"),
        ("default?channel=1", "Built-in", "default?channel=1"),
        ("Headset", None, "Headset"),
    ],
)
def test_trouble_is_told_of_the_device_that_the_sound_is_on(
    chosen: str, place: str | None, named: str
) -> None:
    """The server moved the sound when the chosen device was unplugged: that one delivers nothing."""
    watch = DeviceWatch(DeviceParameters(chosen, 48_000, 1, virtual=False), 0.0)
    where = None if place is None else DevicePlace(place)
    found: list[DeviceTrouble | DeviceRecovered] = []
    for second in range(8):
        moved = replace(reading(second + 1), place=where)
        found.extend(watch.observe(moved, float(second), silent_s=float(second)))
    (trouble,) = found
    assert isinstance(trouble, DeviceTrouble)
    assert trouble.reason.startswith(f"{named} delivers")
