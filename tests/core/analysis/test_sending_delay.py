"""How long a sender keeps a voice, by its reports, whatever the two machines' clocks and the network do."""

import pytest

from blink_cli.core.analysis.call_analysis import CallAnalysis
from blink_cli.core.analysis.sending_delay import SendingDelay
from blink_cli.core.analysis.stream_analysis import StreamAnalysis
from blink_cli.core.ids import Did
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.media.rtp_sender import SenderClock

pytestmark = pytest.mark.no_clock

FRAME = 960
START = 2**32 - 100 * FRAME
"""The timestamps wrap meanwhile."""

BOB = Did("did:key:bob")


def frame(number: int, captured_at: float | None) -> EncodedFrame:
    return EncodedFrame(b"x", (START + number * FRAME) & 0xFFFFFFFF, FRAME, captured_at=captured_at)


@pytest.mark.parametrize("kept_s", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("way_s", [0.0, 0.2])
def test_what_a_sender_keeps_is_found_through_any_network(kept_s: float, way_s: float) -> None:
    sender, call = SenderClock(), CallAnalysis()
    for number in range(200):
        captured_at = 5000.0 + number * 0.02
        sent_s = (
            captured_at + 0.02 + kept_s
        )  # the frame is full, and then it is kept: by filters, by an encoder
        one = frame(number, captured_at)
        sender.sent(one, sent_s)
        arrival_s = sent_s + way_s - 4000.0  # another clock
        call.receiving(BOB, 7).packet(number, one.timestamp, arrival_s, 80, marker=False)
        if number % 50 == 25:
            report_s = sent_s + 0.007
            timestamp = sender.timestamp(report_s)
            assert timestamp is not None
            call.sender_reported(BOB, 7, timestamp, report_s + way_s - 4000.0)
    (figures,) = call.figures()
    assert figures.inbound is not None
    assert figures.inbound.sending_delay_ms == pytest.approx(20 + 1000 * kept_s, abs=0.1)


def test_the_clock_of_reports_is_the_microphones_where_frames_say_when_they_were_captured() -> None:
    clock = SenderClock()
    clock.sent(frame(0, 10.0), 10.5)
    assert clock.timestamp(10.0) == START
    clock = SenderClock()
    clock.sent(frame(0, None), 10.02)
    assert clock.timestamp(10.0) == START


def test_what_no_sender_can_do_is_not_believed() -> None:
    delay = SendingDelay()
    delay.reported(0, 10.0, 960, 10.0)  # sent before it was said
    delay.reported(48_000 * 5, 10.0, 0, 10.0)  # kept for five seconds
    assert delay.mean_ms is None
    stream = StreamAnalysis(7)
    stream.sender_reported(0, 10.0)  # before any packet
    assert stream.figures().sending_delay_ms is None
