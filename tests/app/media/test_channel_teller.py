"""A mix that is much softer than one of its channels is told once, and when it is over."""

import pytest

from blink_cli.app.media.channel_teller import ChannelTeller
from blink_cli.audio.channel_reading import ChannelReading
from blink_cli.core.api.events import Event, StreamFailed, StreamProblem, StreamRestored
from blink_cli.core.ids import Did

pytestmark = pytest.mark.no_clock

OWN = Did("did:key:zOwn")
SOFT = ChannelReading(channels=8, chosen=2, loudest=5, below_db=17.3)
WELL = ChannelReading(channels=8, chosen=2, loudest=2, below_db=0.0)


def test_it_is_told_once_and_when_it_is_over() -> None:
    told: list[Event] = []
    teller = ChannelTeller(OWN, told.append)
    for tenth in range(100):
        teller.look("Mixer?channel=2", SOFT, tenth / 10)
    for tenth in range(100, 200):
        teller.look("Mixer?channel=2", WELL, tenth / 10)
    failed, restored = told
    assert isinstance(failed, StreamFailed)
    assert failed.problem is StreamProblem.SOFT_CHANNELS
    assert failed.reason == (
        "channel 2 is 17 dB softer than channel 5 of the 8 of Mixer; ?channel=5 takes that one"
    )
    assert isinstance(restored, StreamRestored)


def test_a_moment_and_a_device_with_one_channel_are_not_told() -> None:
    told: list[Event] = []
    teller = ChannelTeller(OWN, told.append)
    teller.look("Mixer", SOFT, 0.0)
    teller.look("Mixer", SOFT, 1.0)
    teller.look("Headset", None, 2.5)
    assert told == []
