"""Ticks for logs of the playout."""

from blink_cli.core.media.mix_tick import MixTick, PlayedTrack, Speaker, TrackTick
from blink_cli.core.media.playout_decision import PlayoutAction, PlayoutDecision, PlayoutReason
from tests.record.rtp_log_parts import BOB, heard

TRACK = PlayedTrack(1, BOB, 111, 63)
SPEAKER = Speaker(1, "wav:/tmp/d\udce9j\u00e0.wav", 48_000, 1, 0.7, 0)


def decision(action: PlayoutAction, reason: PlayoutReason, samples: int) -> PlayoutDecision:
    """What was done with a frame."""
    return PlayoutDecision(action, reason, 7, 960, 3, samples, 20.125, 33.5, 40.0, 2)


def tick(number: int, *decisions: PlayoutDecision) -> MixTick:
    """Tick `number`, in which bob's packet of that number was taken."""
    part = TrackTick(TRACK, number, (heard(number),), decisions, 1.0, 10 ** (-3 / 20), 99)
    at_s = 10.0 + number * 0.01
    return MixTick(
        at_s=at_s,
        late_s=0.001,
        speaker=SPEAKER,
        heard_at=at_s + 1 / 3,
        is_silence=False,
        gain_before=1.0,
        gain=1.0,
        fades_in=False,
        fades_out=False,
        frames=480,
        written=480,
        checksum=77,
        tracks=(part,),
    )
