"""What the voice takes of a line."""

import pytest

from blink_cli.core.media.video.voice_share import VoiceShare
from blink_cli.core.media.voice_sent import VoiceSent

pytestmark = pytest.mark.no_clock


def test_more_counts_soon_and_less_slowly() -> None:
    share = VoiceShare()
    packets = size = 0

    def speak(seconds: float, each: int, begin_s: float) -> None:
        nonlocal packets, size
        for number in range(round(seconds * 50)):
            packets, size = packets + 1, size + each
            share.sent(VoiceSent(begin_s + number * 0.02, each, 0.02, packets, size))

    speak(1.0, 100, 10.0)
    assert share.bps == pytest.approx(158 * 8 * 50, rel=0.01)
    speak(0.4, 300, 11.0)
    assert share.bps > 0.85 * 358 * 8 * 50
    speak(0.2, 100, 11.4)
    assert share.bps > 1.5 * 158 * 8 * 50, "what it took lately it may take again"
    speak(20.0, 100, 11.6)
    assert share.bps == pytest.approx(158 * 8 * 50, rel=0.05)


def test_what_goes_again_counts_by_its_mean_and_not_by_its_bursts() -> None:
    share = VoiceShare()
    packets = size = 0
    told = []
    for number in range(1500):
        again = 4 if number % 10 == 9 else 0  # of ten packets four go again, all at once
        packets, size = packets + 1 + again, size + 100 * (1 + again)
        share.sent(VoiceSent(10 + number * 0.02, 100, 0.02, packets, size))
        told.append(share.bps)
    assert told[-1] == pytest.approx(1.4 * 158 * 8 * 50, rel=0.1)
    assert max(told) < 1.6 * 158 * 8 * 50, "its bursts are no room that it needs for long"
