"""A link to a real browser, both ways around: Chromium hears us and we hear it, with RED and without."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.core.media import red
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.lab.links import End
from blink_cli.net.link.secure_transport import SecureTransport
from blink_cli.net.link.srtp import CameBy, Srtp
from blink_cli.net.link_settings import LinkConnected
from blink_cli.runtime.tasks import TaskOwner
from tests.support.browser import Browser, browser

pytestmark = [pytest.mark.timeout(120), pytest.mark.real_time]

THEIR_TONE_HZ = 660
OUR_TONE_HZ = 440
SPOKEN_S = 4.0
PLAYED_OUT_SAMPLES = 9_600


def tone(frequency_hz: float, samples: int) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * frequency_hz * np.arange(samples) / 48_000)).astype(np.float32)


@pytest.fixture
def microphone(tmp_path: Path) -> Path:
    path = tmp_path / "microphone.wav"
    soundfile.write(path, tone(THEIR_TONE_HZ, 480_000), 48_000, subtype="PCM_16")
    return path


@pytest.fixture
async def ours() -> AsyncIterator[End]:
    async with TaskOwner("test") as tasks:
        end = End("ours", tasks)
        yield end
        await end.link.aclose()


async def speak(ours: End, settings: CodecSettings) -> None:
    """Our tone, at its pace, until it is cancelled, with two copies of earlier frames where RED was agreed."""
    encoder = OpusEncoder(settings, channels=settings.channels)
    size = settings.frame_samples
    second = tone(OUR_TONE_HZ, 48_000)
    if settings.stereo:
        second = np.stack((second, 0.5 * second), axis=1)
    ours.link.set_redundancy(2)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for number in itertools.count():
        begin = size * number % len(second)
        payload = encoder.encode(second[begin : begin + size])
        await asyncio.sleep(max(began_s + size * number / 48_000 - loop.time(), 0))
        ours.link.send_frame(
            EncodedFrame(payload, size * number, size, -13, voice=True, talk_spurt_start=not number)
        )


def heard_hz(ours: End) -> float:
    """The strongest frequency of what came last; RED is taken apart."""
    media = ours.link.media_format
    assert media is not None
    decoder = OpusDecoder()
    sound = []
    for packet in ours.packets[-40:]:
        payload = packet.payload
        if packet.payload_type == media.red:
            payload = red.unpack(payload, packet.timestamp)[-1][1]
        sound.append(decoder.decode(payload).copy())
    last = np.concatenate(sound)[-9_600:]
    assert np.abs(last).max() > 0.1
    return float(np.abs(np.fft.rfft(last)).argmax() * 48_000 / len(last))


async def talk(ours: End, page: Browser, settings: CodecSettings | None = None) -> dict[str, Any]:
    """Both speak for some seconds; returns Chromium's inbound-rtp, after what both must have heard was checked."""
    settings = settings or CodecSettings()
    await ours.until_state(LinkConnected, within_s=20)
    async with asyncio.TaskGroup() as group:
        # Until Chromium was asked: what it makes up after the end of a stream counts as concealed.
        speaking = group.create_task(speak(ours, settings), name="speak")
        spoken_packets = SPOKEN_S * 48_000 / settings.frame_samples
        await ours.until(lambda: ours.link.send_counters.packets_sent >= spoken_packets, within_s=20)
        await ours.until(lambda: len(ours.packets) > 60, within_s=20)
        await ours.until(lambda: bool(ours.sender_reports) and bool(ours.reception_reports), within_s=20)
        inbound = await inbound_at(page)
        speaking.cancel()
    assert heard_hz(ours) == pytest.approx(THEIR_TONE_HZ, abs=6)
    assert ours.link.reception is not None
    assert ours.link.reception.packets_lost == 0
    # A tone of 0.3 of full scale has an energy of 0.045 a second.
    assert inbound["totalAudioEnergy"] > 2 * 0.045
    return inbound


async def inbound_at(page: Browser) -> dict[str, Any]:
    """Chromium's inbound-rtp of now."""
    (inbound,) = (entry for entry in await page.ask("statistics") if entry["type"] == "inbound-rtp")
    return dict(inbound)


async def once_played_out(page: Browser) -> dict[str, Any]:
    """Chromium's inbound-rtp when our stream has ended and nothing of it waits: it drew 0.2 s, and none of that was ours."""
    async with asyncio.timeout(20):
        before = await inbound_at(page)
        while True:
            now = await inbound_at(page)
            if now["totalSamplesReceived"] - before["totalSamplesReceived"] < PLAYED_OUT_SAMPLES:
                continue
            if now["jitterBufferEmittedCount"] == before["jitterBufferEmittedCount"]:
                return now
            before = now


def frames_played(inbound: dict[str, Any], settings: CodecSettings) -> float:
    """What came out of Chromium's jitter buffer as it was sent. What it made up does not count, nor does how late anything woke."""
    return float(inbound["jitterBufferEmittedCount"] / settings.frame_samples)


@pytest.mark.parametrize("prefers_red", [True, False], ids=["RED preferred", "Opus preferred"])
async def test_a_browser_offers_and_we_answer(ours: End, microphone: Path, prefers_red: bool) -> None:  # noqa: FBT001
    async with browser(microphone, red=prefers_red) as page:
        answer = await ours.link.accept_offer(await page.ask("offer"))
        await page.ask("accept", answer)
        inbound = await talk(ours, page)
    media = ours.link.media_format
    assert media is not None
    kinds = {packet.payload_type for packet in ours.packets}
    assert kinds == ({media.red} if prefers_red else {media.opus})
    assert inbound["packetsLost"] == 0
    assert inbound["packetsDiscarded"] > 300, "two copies came with each packet, and were not needed"


@pytest.mark.parametrize(
    "settings",
    [
        CodecSettings(frame_ms=2.5, bitrate_bps=64_000),
        CodecSettings(frame_ms=5, bitrate_bps=64_000),
        CodecSettings(stereo=True, bitrate_bps=96_000),
    ],
    ids=["2.5 ms", "5 ms", "stereo"],
)
async def test_a_browser_hears_short_frames_and_two_channels_for_which_it_did_not_ask(
    ours: End, microphone: Path, settings: CodecSettings
) -> None:
    async with browser(microphone, red=False) as page:
        answer = await ours.link.accept_offer(await page.ask("offer"))
        await page.ask("accept", answer)
        await talk(ours, page, settings)
        inbound = await once_played_out(page)
    assert inbound["packetsReceived"] > 3.5 * 1000 / settings.frame_ms
    assert inbound["packetsLost"] == 0
    assert frames_played(inbound, settings) == pytest.approx(inbound["packetsReceived"], abs=2)


async def test_we_offer_a_browser_answers_and_our_copies_mend_what_it_loses(
    ours: End, microphone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_sealed = SecureTransport.send_sealed

    def lose_every_fifth(transport: SecureTransport, datagram: bytes) -> bool:
        return datagram[3] % 5 == 0 or send_sealed(transport, datagram)

    monkeypatch.setattr(SecureTransport, "send_sealed", lose_every_fifth)
    async with browser(microphone, red=False) as page:
        await ours.link.accept_answer(await page.ask("answer", await ours.link.create_offer()))
        await talk(ours, page)
        inbound = await once_played_out(page)
    assert inbound["packetsLost"] >= 30
    # Concealed samples would not tell: a sender that stands still for 0.3 s adds 7 %. The frames that were lost are played, or not: without copies none is.
    mended = frames_played(inbound, CodecSettings()) - inbound["packetsReceived"]
    assert mended == pytest.approx(inbound["packetsLost"], abs=2)


async def test_a_browser_asks_for_what_it_misses_and_gets_the_same_datagram_again(
    ours: End, microphone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_sealed = SecureTransport.send_sealed
    lost: set[bytes] = set()

    def lose_every_fifth_once(transport: SecureTransport, datagram: bytes) -> bool:
        if datagram[3] % 5 == 0 and datagram not in lost:
            lost.add(datagram)
            return True
        return send_sealed(transport, datagram)

    monkeypatch.setattr(SecureTransport, "send_sealed", lose_every_fifth_once)
    async with browser(microphone, red=False) as page:
        # Chromium does so with audio where it is asked to, and does not ask by itself.
        offer = await page.ask("offer") + "a=rtcp-fb:111 nack\r\n"
        await page.ask("accept", await ours.link.accept_offer(offer))
        inbound = await talk(ours, page)
    sent = ours.link.send_counters
    assert sent.nack_count > 10
    assert len(lost) >= 30
    assert sent.retransmitted_packets_sent >= 0.9 * len(lost)
    assert sent.retransmitted_bytes_sent < 0.3 * sent.bytes_sent
    assert inbound["packetsLost"] < 0.1 * len(lost)


async def test_a_browser_is_asked_for_what_we_miss_and_sends_it_again(
    ours: End, microphone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Srtp.opened
    lost: set[bytes] = set()

    def lose_every_fifth_once(srtp: Srtp, data: bytes, arrival_s: float, came_by: CameBy) -> bytes | None:
        if not 192 <= data[1] <= 223 and data[3] % 5 == 0 and data[:12] not in lost:
            lost.add(data[:12])
            return None
        return opened(srtp, data, arrival_s, came_by)

    monkeypatch.setattr(Srtp, "opened", lose_every_fifth_once)
    async with browser(microphone, red=False) as page:
        # Chromium answers requests for audio where both descriptions say so.
        offer = await page.ask("offer") + "a=rtcp-fb:111 nack\r\n"
        await page.ask("accept", await ours.link.accept_offer(offer))
        await ours.until_state(LinkConnected, within_s=20)
        await ours.until(lambda: len(ours.packets) > 200, within_s=20)
        asked, reception = ours.link.receive_counters, ours.link.reception
    assert reception is not None
    assert asked.nack_count > 10
    assert len(lost) >= 30
    # On the voice's own stream, so that what came again has its place among what came.
    assert reception.packets_lost < 0.2 * len(lost)
