"""Fillers are as long as they say, for every decoder there is, and harm nothing around them."""

import av
import numpy as np
import pytest

from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.core.media.opus_packet import packet_samples, with_frame_count
from blink_cli.record.recording.filler import GRID_SAMPLES, concealment, silence
from tests.record.simulated_call import spoken

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 7, 8, 15, 31, 400])
def test_fillers_add_up_and_say_their_length(steps: int) -> None:
    for kind in (silence, concealment):
        fillers = list(kind(steps * GRID_SAMPLES))
        assert sum(filler.samples for filler in fillers) == steps * GRID_SAMPLES
        assert all(packet_samples(filler.payload) == filler.samples for filler in fillers)


@pytest.mark.parametrize("decoder", ["libopus", "opus"])
def test_decoders_keep_time_through_fillers_of_every_length(decoder: str) -> None:
    context = av.CodecContext.create(decoder, "r")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout = 48_000, "mono"
    packets = [*spoken()[:5]]
    for steps in (1, 2, 4, 8, 15):
        packets += [filler.payload for filler in concealment(steps * GRID_SAMPLES)]
        packets += [filler.payload for filler in silence(steps * GRID_SAMPLES)]
        packets += spoken()[5:8]
    decoded = 0
    for payload in packets:
        decoded += sum(frame.samples for frame in context.decode(av.Packet(payload)))
    decoded += sum(frame.samples for frame in context.decode(None))
    assert decoded == sum(packet_samples(payload) for payload in packets)


def test_silence_is_silent_and_concealment_goes_on_with_the_sound() -> None:
    tone = OpusDecoder()
    for payload in spoken()[68:72]:
        tone.decode(payload)
    after = np.concatenate([tone.decode(filler.payload) for filler in silence(960 * 3)])
    assert np.abs(after[1920:]).max() < 1e-20
    guessing, told = OpusDecoder(), OpusDecoder()
    for payload in spoken()[:10]:
        guessing.decode(payload)
        told.decode(payload)
    (filler,) = concealment(960)
    assert len(filler.payload) > 1, "MPEG-TS and others refuse packets of one byte"
    assert np.array_equal(guessing.decode(filler.payload), told.conceal(960))


def test_a_packet_of_one_byte_gets_its_count_and_stays_what_it_is() -> None:
    for toc in range(256):
        payload = bytes((toc,))
        counted = with_frame_count(payload)
        if packet_samples(payload) == 0:  # code 3 without its count, or too long
            assert counted == payload
            continue
        assert len(counted) == 2
        assert packet_samples(counted) == packet_samples(payload)
        one, other = OpusDecoder(), OpusDecoder()
        for before in spoken()[68:72]:
            one.decode(before)
            other.decode(before)
        sound = other.decode(counted)
        assert len(sound) == packet_samples(payload)
        if toc & 3 != 2:  # two frames of unequal length, and no length: decoders refuse that one
            assert np.array_equal(one.decode(payload), sound), toc
    assert with_frame_count(spoken()[0]) == spoken()[0]
