"""What is made up while nothing comes counts as concealed only where speech was lost."""

import msgspec
import pytest

from blink_cli.core.media.rtp import RtpPacket
from tests.audio.playout.stream import Sender, play

pytestmark = pytest.mark.no_clock


def talks_and_pauses(*, refreshes_lost: bool) -> list[RtpPacket]:
    """Words of half a second; between them pauses of 1.6 s, in which Opus refreshes its background every 400 ms (DTX)."""
    sender = Sender()
    packets, number = [], 0
    for tick in range(500):
        second = tick % 105
        is_refresh = second >= 25 and (second - 25) % 20 == 19
        if second < 25 or is_refresh:
            # Its place in time is the tick's, its number that of what is sent.
            moment = sender.packet(tick)
            packet = sender.packet(number)
            if not (is_refresh and refreshes_lost and 60 < second < 80):
                packets.append(
                    msgspec.structs.replace(packet, timestamp=moment.timestamp, arrival_s=moment.arrival_s)
                )
            number += 1
    return packets


@pytest.mark.parametrize("refreshes_lost", [False, True])
def test_pauses_of_a_sender_that_sends_nothing_while_silent_are_not_concealed(
    *, refreshes_lost: bool
) -> None:
    buffer, _, _ = play(talks_and_pauses(refreshes_lost=refreshes_lost), 9.5)
    statistics = buffer.statistics()
    # Five pauses, of each a refresh of 20 ms.
    assert statistics.concealed_samples <= (5 * 960 if refreshes_lost else 0)
    assert statistics.total_samples_received > 8 * 48_000


def test_an_outage_of_the_same_length_is_concealed() -> None:
    buffer, _, _ = play([Sender().packet(n) for n in range(500) if n % 105 not in range(25, 45)], 9.5)
    statistics = buffer.statistics()
    assert statistics.concealed_samples == pytest.approx(5 * 20 * 960, rel=0.1)
    assert statistics.concealment_events == 5


def test_an_outage_counts_after_a_second_even_where_nothing_comes_any_more() -> None:
    buffer, _, _ = play([Sender().packet(n) for n in range(100)], 4.0)
    assert buffer.statistics().concealed_samples == pytest.approx(48_000, abs=960)


@pytest.mark.parametrize("voice", [True, False])
def test_a_sender_that_stood_still_in_a_word_has_made_no_pause(*, voice: bool) -> None:
    """No number is missing then: its clock goes on and its packets do not."""
    sender, packets = Sender(), []
    for number in range(100):
        moment = sender.packet(number if number < 50 else number + 40)
        packets.append(
            msgspec.structs.replace(
                sender.packet(number), timestamp=moment.timestamp, arrival_s=moment.arrival_s, voice=voice
            )
        )
    buffer, _, _ = play(packets, 3.0)
    assert buffer.statistics().concealed_samples == (pytest.approx(40 * 960, rel=0.15) if voice else 0)
