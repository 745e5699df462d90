"""What those who listen wish of a stream, by their descriptions, and what one encoder for everybody makes of it.

    SDP of each participant ──> ReceiverWishes ──┐
    settings of the session ─────────────────────┴──> fitted() ──> settings of the encoder

The strictest wish counts: everybody is sent the same frames. What is wished cannot make a call dear for the others: packets of less than 10 ms are
never sent because somebody wants them short.
Source: RFC 7587, section 6.1; RFC 8866, section 6.4; `minptime` is of its drafts, and every browser says it.
"""

import math
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from blink_cli.core.media.codec_settings import (
    FRAME_LENGTHS_MS,
    LOWEST_BITRATE_BPS,
    SHORTEST_SPEECH_FRAME_MS,
    CodecSettings,
)


class ReceiverWishes(msgspec.Struct, frozen=True):
    """Of one participant. None: it says nothing, and anything will do."""

    shortest_packet_ms: int | None = None
    """`minptime`, rounded up as lengths are: 3 is 2.5."""

    longest_packet_ms: int | None = None
    """`maxptime`, likewise."""

    most_bitrate_bps: int | None = None
    """`maxaveragebitrate`."""

    no_stereo: bool = False
    """`stereo=0`, said in so many words: who says nothing is sent what there is, and every decoder takes it."""

    no_dtx: bool = False
    """`usedtx=0`, likewise."""

    cbr: bool = False
    """`cbr=1`."""


NO_WISHES: Final = ReceiverWishes()


def fitted(settings: CodecSettings, wishes: Iterable[ReceiverWishes]) -> CodecSettings:
    """Return the settings as near to those that were chosen as all wishes allow."""
    asked = [one for one in wishes if one != NO_WISHES]
    if not asked:
        return settings
    cbr = settings.cbr or any(one.cbr for one in asked)
    most_bps = min((one.most_bitrate_bps for one in asked if one.most_bitrate_bps is not None), default=None)
    return replace(
        settings,
        frame_ms=_frame_ms(settings.frame_ms, asked),
        bitrate_bps=settings.bitrate_bps
        if most_bps is None
        else min(settings.bitrate_bps, max(most_bps, LOWEST_BITRATE_BPS)),
        stereo=settings.stereo and not any(one.no_stereo for one in asked),
        cbr=cbr,
        dtx=settings.dtx and not cbr and not any(one.no_dtx for one in asked),
    )


def _frame_ms(chosen_ms: float, asked: list[ReceiverWishes]) -> float:
    """A length that everybody takes. Where two contradict each other the longest counts: a decoder may have no room for more."""
    least = max((one.shortest_packet_ms for one in asked if one.shortest_packet_ms is not None), default=0)
    most = min(
        (
            max(one.longest_packet_ms, SHORTEST_SPEECH_FRAME_MS)
            for one in asked
            if one.longest_packet_ms is not None
        ),
        default=FRAME_LENGTHS_MS[-1],
    )
    longer = [one for one in FRAME_LENGTHS_MS if math.ceil(one) >= least] or [FRAME_LENGTHS_MS[-1]]
    frame_ms = max(chosen_ms, longer[0])
    return min(frame_ms, max(one for one in FRAME_LENGTHS_MS if math.ceil(one) <= most))


def wish_remarks(chosen: CodecSettings, sent: CodecSettings) -> tuple[str, ...]:
    """Say what is sent otherwise than chosen, and why, in sentences without a full stop."""
    said = []
    if sent.frame_ms != chosen.frame_ms:
        bound = "shorter" if sent.frame_ms > chosen.frame_ms else "longer"
        said.append(f"packets of {sent.frame_ms:g} ms are sent: a participant wants none that are {bound}")
    if sent.bitrate_bps != chosen.bitrate_bps:
        said.append(f"{sent.bitrate_bps / 1000:g} kb/s are sent: a participant wants no more")
    if sent.stereo != chosen.stereo:
        said.append("one channel is sent: a participant wants no stereo")
    if sent.cbr != chosen.cbr:
        said.append("all packets are equally long: a participant wants a constant bit rate")
    if sent.dtx != chosen.dtx:
        said.append("silence is sent too: a participant wants no DTX, or a constant bit rate")
    return tuple(said)
