import pytest

from blink_cli.core.api.device_choice import DeviceLabel, named, partly_named
from blink_cli.core.errors import NotFoundError

HEADSET = DeviceLabel("alsa_input.usb-0d8c", "Blue Headset")
BUILT_IN = DeviceLabel("alsa_input.pci-0000", "Built-in Audio")
MONITOR = DeviceLabel("alsa_output.usb-0d8c.monitor", "Monitor of Blue Headset", monitor=True)
ALL = (HEADSET, BUILT_IN, MONITOR)


@pytest.mark.parametrize("wanted", ["alsa_input.usb-0d8c", "Blue Headset", "blue headset", " Blue Headset "])
def test_a_name_or_a_description_is_the_device(wanted: str) -> None:
    assert named(wanted, ALL) == HEADSET


def test_a_part_is_no_whole_name() -> None:
    assert named("headset", ALL) is None
    assert named("", ALL) is None


@pytest.mark.parametrize(
    ("wanted", "meant"), [("headset", HEADSET), ("PCI", BUILT_IN), ("monitor", MONITOR), ("bluetooth", None)]
)
def test_a_part_means_a_monitor_only_when_nothing_else_fits(wanted: str, meant: DeviceLabel | None) -> None:
    assert partly_named(wanted, ALL) == meant


def test_what_fits_several_is_refused_with_their_names() -> None:
    with pytest.raises(NotFoundError, match=r"2 audio devices: Blue Headset \(alsa_input.usb-0d8c\), Built"):
        partly_named("alsa_input", ALL)
    twins = (DeviceLabel("left", "Null Output"), DeviceLabel("right", "Null Output"))
    with pytest.raises(NotFoundError, match=r"Null Output \(left\), Null Output \(right\)"):
        named("Null Output", twins)
    assert named("left", twins) == twins[0]
