"""Lost sound is guessed by networks where libopus has them, for as long as a tick has time for it."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr

from blink_cli.app.media.opus_libraries import opus_libraries
from blink_cli.audio.mixer import Mixer
from blink_cli.audio.opus import library
from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.audio.playout.concealment import ConcealingDecoder, DeepBudget, voice_decoder
from blink_cli.audio.playout.concealment_kind import concealment, decoder_name
from blink_cli.audio.playout.playout_buffer import PlayoutBuffer
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.opus_packet import dred_version, without_padding
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.lab.voice_metrics import RATE_HZ, pesq_wideband
from tests.support.built_opus import built_opus

pytestmark = pytest.mark.no_clock(sockets=True)

SPEECH = Path(__file__).resolve().parents[3] / "blink_cli/lab/speech/speech.flac"
FRAME = 960
OPUS = 96


@pytest.fixture
def deep(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Code with the libopus that can do all."""
    monkeypatch.setenv("BLINK_LIBOPUS", str(built_opus()))
    yield from anew()


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Code with the one in PyAV's wheel, which has no networks."""
    monkeypatch.setenv("BLINK_LIBOPUS", "pyav")
    yield from anew()


def anew() -> Iterator[None]:
    for cached in (library.used_library, library.decode_float):
        cached.cache_clear()
    try:
        yield
    finally:
        for cached in (library.used_library, library.decode_float):
            cached.cache_clear()


def speech() -> tuple[npt.NDArray[np.float32], list[bytes]]:
    """A voice at 16 kHz, and its packets of 20 ms."""
    reference, rate_hz = soundfile.read(SPEECH, dtype="float32")
    assert rate_hz == RATE_HZ
    sound = soxr.resample(reference, RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32)
    encoder = OpusEncoder(CodecSettings())
    frames = [sound[at : at + FRAME] for at in range(0, len(sound) - FRAME + 1, FRAME)]
    return reference, [encoder.encode(frame) for frame in frames]


def test_a_tick_spends_no_more_than_it_may_and_saves_little() -> None:
    budget = DeepBudget()
    assert [budget.take(TICK_SAMPLES) for _ in range(8)] == [True] * 6 + [False] * 2
    budget.begin_tick()
    assert [budget.take(TICK_SAMPLES) for _ in range(4)] == [True] * 3 + [False]
    for _ in range(100):
        budget.begin_tick()
    assert [budget.take(TICK_SAMPLES) for _ in range(7)] == [True] * 6 + [False]
    assert budget.deep_samples == 15 * TICK_SAMPLES
    assert budget.refused_samples == 4 * TICK_SAMPLES
    budget.begin_tick()
    assert [budget.take(240) for _ in range(4)] == [True] * 3 + [False], "5 ms cost as much as 10"


def test_without_networks_it_is_classic(plain: None) -> None:
    del plain
    assert concealment() == "classic"
    assert type(voice_decoder(DeepBudget())) is OpusDecoder
    found = opus_libraries()
    assert found is not None
    assert found.concealment == "classic"


def test_guesses_of_networks_sound_better(deep: None) -> None:
    """Without any repair, 10 % lost: 2.94 beside 2.65."""
    del deep
    assert concealment() == "dred"
    assert "deep concealment" in decoder_name()
    found = opus_libraries()
    assert found is not None
    assert found.concealment == "dred"
    reference, packets = speech()
    lost = random.Random(5)
    holes = [lost.random() < 0.1 for _ in packets]

    def heard(decoder: OpusDecoder, budget: DeepBudget) -> float:
        blocks = []
        for packet, is_lost in zip(packets, holes, strict=True):
            for _ in range(2 if is_lost else 0):
                budget.begin_tick()
                blocks.append(decoder.conceal(TICK_SAMPLES))
            if not is_lost:
                blocks.append(decoder.decode(packet))
        return pesq_wideband(
            reference, soxr.resample(np.concatenate(blocks), SAMPLE_RATE_HZ, RATE_HZ).astype(np.float32)
        )

    budget = DeepBudget()
    by_networks = heard(ConcealingDecoder(budget), budget)
    classic = heard(OpusDecoder(), DeepBudget())
    assert budget.deep_samples == sum(holes) * FRAME - max(0, budget.refused_samples)
    assert by_networks > classic + 0.15, (by_networks, classic)


def test_eight_voices_lost_at_once_do_not_take_the_tick(deep: None) -> None:
    del deep
    _, packets = speech()
    mixer = Mixer()
    budget = mixer.deep_budget
    tracks = [SinkTrack(PlayoutBuffer(voice_decoder(budget), (OPUS, None)), muted=False) for _ in range(8)]
    spent: list[int] = []
    sounded = []
    for tick in range(200):
        now_s = tick / 100
        if tick % 2 == 0 and not 100 <= tick < 116:
            number = tick // 2
            for ssrc, track in enumerate(tracks):
                track.receive(
                    RtpPacket(
                        ssrc=ssrc,
                        sequence_number=number,
                        timestamp=number * FRAME,
                        payload_type=OPUS,
                        marker=False,
                        payload=packets[50 + number],
                        arrival_s=now_s,
                    )
                )
        before = budget.deep_samples
        sounded.append(float(np.abs(mixer.mix(tracks, now_s + 0.001)).max()))
        spent.append(budget.deep_samples - before)
    assert max(spent) == 6 * TICK_SAMPLES, "a tick spent more than it may"
    assert sorted(spent)[-2] <= 6 * TICK_SAMPLES
    lost_ticks = [number for number, one in enumerate(spent) if one]
    assert (
        sum(spent[number] for number in lost_ticks[1:])
        <= 3 * TICK_SAMPLES * (len(lost_ticks) - 1) + 3 * TICK_SAMPLES
    )
    assert budget.refused_samples > 0, "the rest is guessed the classic way, and counted"
    concealed = sum(track._stream.statistics().concealed_samples for track in tracks)
    assert concealed >= budget.deep_samples + budget.refused_samples
    assert max(sounded[104:112]) > 0.01, "nothing is heard where all are lost"


def told(packets: list[bytes], holes: list[bool]) -> tuple[PlayoutBuffer, npt.NDArray[np.float32]]:
    """Play a stream of which some packets are lost; return the buffer and the sound."""
    budget = DeepBudget()
    buffer = PlayoutBuffer(voice_decoder(budget), (OPUS, None))
    blocks = []
    for tick in range(2 * len(packets)):
        now_s, number = tick / 100, tick // 2
        if tick % 2 == 0 and not holes[number]:
            buffer.put(
                RtpPacket(
                    ssrc=1,
                    sequence_number=number,
                    timestamp=number * FRAME,
                    payload_type=OPUS,
                    marker=False,
                    payload=packets[number],
                    arrival_s=now_s,
                )
            )
        budget.begin_tick()
        blocks.append(buffer.get(now_s + 0.001))
    return buffer, np.concatenate(blocks)


def test_what_later_packets_tell_is_heard_in_place_of_bursts(deep: None) -> None:
    """Bursts of three packets, a tenth of all: by guesses 3.22, by what is told 3.57."""
    del deep
    reference, _ = speech()
    sound = soxr.resample(reference, RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32)
    encoder = OpusEncoder(CodecSettings())
    encoder.set_dred(enabled=True)
    packets = [encoder.encode(sound[at : at + FRAME]) for at in range(0, len(sound) - FRAME + 1, FRAME)]
    plain = [without_padding(packet) for packet in packets]
    holes = [number % 30 in (10, 11, 12) for number in range(len(packets))]

    with_dred, heard = told(packets, holes)
    without, guessed = told(plain, holes)
    assert with_dred.statistics().packets_recovered_by_dred > sum(holes) / 3
    assert without.statistics().packets_recovered_by_dred == 0
    assert with_dred.statistics().packets_lost == without.statistics().packets_lost

    def score(played: npt.NDArray[np.float32]) -> float:
        return pesq_wideband(reference, soxr.resample(played, SAMPLE_RATE_HZ, RATE_HZ).astype(np.float32))

    assert score(heard) > score(guessed) + 0.2, (score(heard), score(guessed))


def test_dred_is_harmless_to_who_does_not_read_it(deep: None, monkeypatch: pytest.MonkeyPatch) -> None:
    del deep
    encoder = OpusEncoder(CodecSettings())
    encoder.set_dred(enabled=True)
    reference, _ = speech()
    sound = soxr.resample(reference[: 2 * RATE_HZ], RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32)
    packets = [encoder.encode(sound[at : at + FRAME]) for at in range(0, len(sound) - FRAME + 1, FRAME)]
    assert any(dred_version(packet) is not None for packet in packets)
    monkeypatch.setenv("BLINK_LIBOPUS", "pyav")
    for cached in (library.used_library, library.decode_float):
        cached.cache_clear()
    one, other = OpusDecoder(), OpusDecoder()
    for packet in packets:
        assert np.array_equal(one.decode(packet), other.decode(without_padding(packet)))


@pytest.mark.parametrize("seed", range(3))
def test_strangers_bytes_in_place_of_dred_do_no_harm(deep: None, seed: int) -> None:
    del deep
    encoder = OpusEncoder(CodecSettings())
    encoder.set_dred(enabled=True)
    drawn = random.Random(seed)
    noise = np.random.default_rng(seed).normal(0, 0.1, (60, FRAME)).astype(np.float32)
    buffer = PlayoutBuffer(voice_decoder(DeepBudget()), (OPUS, None))
    for number, frame in enumerate(noise):
        packet = bytearray(encoder.encode(frame))
        start = len(without_padding(bytes(packet)))
        for _ in range(4):
            packet[drawn.randrange(start, len(packet)) if start < len(packet) else -1] = drawn.randrange(256)
        if number % 3:
            buffer.put(
                RtpPacket(
                    ssrc=1,
                    sequence_number=number,
                    timestamp=number * FRAME,
                    payload_type=OPUS,
                    marker=False,
                    payload=bytes(packet),
                    arrival_s=number * 0.02,
                )
            )
        for late_s in (0.001, 0.011):
            assert np.isfinite(buffer.get(number * 0.02 + late_s)).all()
