"""What is sent when those who listen wish it otherwise."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.media.codec_settings import FRAME_LENGTHS_MS, CodecSettings
from blink_cli.core.media.receiver_wishes import NO_WISHES, ReceiverWishes, fitted, wish_remarks


@pytest.mark.parametrize(
    ("chosen", "wishes", "sent"),
    [
        ({"frame_ms": 2.5}, [{"shortest_packet_ms": 10}], {"frame_ms": 10}),
        ({"frame_ms": 2.5}, [{"shortest_packet_ms": 3}], {"frame_ms": 2.5}),
        ({"frame_ms": 20}, [{"shortest_packet_ms": 10}, {}], {"frame_ms": 20}),
        ({"frame_ms": 60}, [{}, {"longest_packet_ms": 20}], {"frame_ms": 20}),
        ({"frame_ms": 60}, [{"longest_packet_ms": 50}], {"frame_ms": 40}),
        # Nobody makes a call dear for the others, and a decoder that has no room for more wins.
        ({"frame_ms": 20}, [{"longest_packet_ms": 1}], {"frame_ms": 10}),
        ({"frame_ms": 2.5}, [{"longest_packet_ms": 3}], {"frame_ms": 2.5}),
        ({"frame_ms": 20}, [{"shortest_packet_ms": 999_999}], {"frame_ms": 60}),
        ({"frame_ms": 20}, [{"shortest_packet_ms": 60}, {"longest_packet_ms": 20}], {"frame_ms": 20}),
        (
            {"bitrate_bps": 64_000},
            [{"most_bitrate_bps": 40_000}, {"most_bitrate_bps": 24_000}],
            {"bitrate_bps": 24_000},
        ),
        ({"bitrate_bps": 32_000}, [{"most_bitrate_bps": 510_000}], {"bitrate_bps": 32_000}),
        ({"bitrate_bps": 32_000}, [{"most_bitrate_bps": 1}], {"bitrate_bps": 6_000}),
        ({"stereo": True}, [{}, {"no_stereo": True}], {"stereo": False}),
        ({"stereo": True}, [{}], {"stereo": True}),
        ({"dtx": True}, [{"no_dtx": True}], {"dtx": False}),
        ({"dtx": True}, [{"cbr": True}], {"dtx": False, "cbr": True}),
    ],
)
def test_the_strictest_wish_counts(
    chosen: dict[str, Any], wishes: list[dict[str, Any]], sent: dict[str, Any]
) -> None:
    settings = CodecSettings(**chosen)
    result = fitted(settings, [ReceiverWishes(**one) for one in wishes])
    assert result == CodecSettings(**{**chosen, **sent})
    assert bool(wish_remarks(settings, result)) == (result != settings)


def test_who_wishes_nothing_changes_nothing() -> None:
    settings = CodecSettings(frame_ms=2.5, stereo=True, dtx=True)
    assert fitted(settings, [NO_WISHES, NO_WISHES]) is settings
    assert fitted(settings, []) is settings


NUMBERS = st.none() | st.integers(0, 999_999)
WISHES = st.builds(
    ReceiverWishes,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    no_stereo=st.booleans(),
    no_dtx=st.booleans(),
    cbr=st.booleans(),
)


@given(wishes=st.lists(WISHES, max_size=4), frame_ms=st.sampled_from(FRAME_LENGTHS_MS), dtx=st.booleans())
def test_any_wishes_give_settings_that_are_possible(
    wishes: list[ReceiverWishes], frame_ms: float, *, dtx: bool
) -> None:
    chosen = CodecSettings(frame_ms=frame_ms, dtx=dtx, stereo=True)
    sent = fitted(chosen, wishes)
    assert fitted(sent, wishes) == sent
    assert fitted(chosen, reversed(wishes)) == sent, "it does not matter who came first"
    bounds = [one.longest_packet_ms for one in wishes if one.longest_packet_ms is not None]
    assert math.ceil(sent.frame_ms) <= max(min(bounds, default=60), 10)
