"""A link to a peer that is not blink: aiortc's own RTCPeerConnection, as it comes, which stands for a browser."""

import asyncio
import fractions
from collections.abc import AsyncIterator

import numpy as np
import pytest
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from av import AudioFrame, AudioResampler
from av.audio.codeccontext import AudioCodecContext
from typing_extensions import override

from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.lab.links import End
from blink_cli.net.link_settings import LinkClosed, LinkConnected
from blink_cli.runtime.tasks import TaskOwner

pytestmark = pytest.mark.real_time

TONE_HZ = 440


def tone(index: int, samples: int = 960) -> np.ndarray:
    times = (np.arange(samples) + index * samples) / 48_000
    return (0.3 * np.sin(2 * np.pi * TONE_HZ * times)).astype(np.float32)


class ToneTrack(AudioStreamTrack):
    """What the stock peer says: 20 ms of a tone, paced by aiortc's own clock."""

    def __init__(self) -> None:
        super().__init__()
        self._index = 0

    @override
    async def recv(self) -> AudioFrame:
        await asyncio.sleep(0.02)
        pcm = (tone(self._index) * 32767).astype(np.int16)
        sound = AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        sound.sample_rate, sound.pts, sound.time_base = (
            48_000,
            960 * self._index,
            fractions.Fraction(1, 48_000),
        )
        self._index += 1
        return sound


def opus_frames(count: int) -> list[EncodedFrame]:
    encoder = AudioCodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "flt"
    frames: list[EncodedFrame] = []
    for index in range(count):
        sound = AudioFrame.from_ndarray(tone(index).reshape(1, -1), format="flt", layout="mono")
        sound.sample_rate, sound.pts = 48_000, 960 * index
        frames += [
            EncodedFrame(
                bytes(packet), 960 * len(frames) + n * 960, 960, -12, voice=True, talk_spurt_start=index == 0
            )
            for n, packet in enumerate(encoder.encode(sound))
        ]
    return frames


async def heard(track: MediaStreamTrack) -> float:
    """The strongest frequency of 200 ms of what the stock peer decoded, after its buffer has filled."""
    resampler = AudioResampler(format="flt", layout="mono", rate=48_000)
    pieces: list[np.ndarray] = []
    while sum(piece.size for piece in pieces) < 24_000:
        received = await track.recv()
        assert isinstance(received, AudioFrame)
        pieces += [frame.to_ndarray().reshape(-1) for frame in resampler.resample(received)]
    sound = np.concatenate(pieces)[-9_600:]
    assert np.abs(sound).max() > 0.1
    return float(np.abs(np.fft.rfft(sound)).argmax() * 48_000 / sound.size)


@pytest.fixture
async def stock(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RTCPeerConnection]:
    # As it comes it leaves loopback out, and would need another network to be there.
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: ["127.0.0.1"])
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    yield connection
    await connection.close()
    await asyncio.get_running_loop().shutdown_default_executor()  # its encoder ran there


@pytest.fixture
async def ours() -> AsyncIterator[End]:
    async with TaskOwner("test") as tasks:
        end = End("ours", tasks)
        yield end
        await end.link.aclose()


async def talk(ours: End, incoming: "asyncio.Future[MediaStreamTrack]") -> None:
    """Speak both ways; each side must hear the other's tone."""
    await ours.until_state(LinkConnected)
    media = ours.link.media_format
    assert media is not None
    assert media.red is None, "aiortc as it comes knows no RED, so plain Opus was agreed"
    ours.link.set_redundancy(2)

    async def speak() -> None:
        for frame in opus_frames(60):
            assert ours.link.send_frame(frame)
            await asyncio.sleep(0.005)

    speaking = asyncio.get_running_loop().create_task(speak())
    frequency_hz = await asyncio.wait_for(heard(await incoming), 10)
    assert frequency_hz == pytest.approx(TONE_HZ, abs=6)
    await speaking
    await ours.until(lambda: len(ours.packets) >= 10)
    packet = ours.packets[5]
    assert packet.payload_type == media.opus
    assert packet.audio_level_dbov == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=1.0)
    await ours.until(lambda: any(report.packets_lost == 0 for report in ours.reception_reports))
    await ours.until(lambda: bool(ours.sender_reports))
    assert ours.link.reception is not None
    assert ours.link.reception.packets_lost == 0


def first_track(stock: RTCPeerConnection) -> "asyncio.Future[MediaStreamTrack]":
    incoming: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
    stock.on("track", incoming.set_result)
    return incoming


async def test_we_offer_and_a_stock_peer_answers(stock: RTCPeerConnection, ours: End) -> None:
    incoming = first_track(stock)
    stock.addTrack(ToneTrack())
    await stock.setRemoteDescription(RTCSessionDescription(await ours.link.create_offer(), "offer"))
    await stock.setLocalDescription(await stock.createAnswer())
    await ours.link.accept_answer(stock.localDescription.sdp)
    await talk(ours, incoming)

    await stock.close()
    state = await ours.until_state(LinkClosed)
    assert state.by_peer


async def test_a_stock_peer_offers_and_we_answer(stock: RTCPeerConnection, ours: End) -> None:
    incoming = first_track(stock)
    stock.addTrack(ToneTrack())
    await stock.setLocalDescription(await stock.createOffer())
    answer = await ours.link.accept_offer(stock.localDescription.sdp)
    await stock.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await talk(ours, incoming)

    closed = asyncio.Event()
    stock.on("connectionstatechange", lambda: closed.set() if stock.connectionState == "closed" else None)
    await ours.link.aclose()
    await asyncio.wait_for(closed.wait(), 2)
