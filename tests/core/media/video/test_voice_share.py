"""What the voice takes of a line."""

import pytest

from blink_cli.core.media.video.voice_share import VoiceShare
from blink_cli.core.media.voice_sent import VoiceSent

pytestmark = pytest.mark.no_clock


def test_more_counts_at_once_and_less_slowly() -> None:
    share = VoiceShare()
    packets = size = 0

    def speak(seconds: float, each: int, begin_s: float) -> None:
        nonlocal packets, size
        for number in range(round(seconds * 50)):
            packets, size = packets + 1, size + each
            share.sent(VoiceSent(begin_s + number * 0.02, each, 0.02, packets, size))

    speak(1.0, 100, 10.0)
    assert share.bps == pytest.approx(158 * 8 * 50, rel=0.01)
    speak(0.2, 300, 11.0)
    assert share.bps > 0.9 * 358 * 8 * 50
    speak(0.2, 100, 11.2)
    assert share.bps > 1.5 * 158 * 8 * 50, "what it took lately it may take again"
    speak(20.0, 100, 11.4)
    assert share.bps == pytest.approx(158 * 8 * 50, rel=0.05)
