"""Pictures between a link and a real browser, both ways around: Chromium shows ours and we decode its camera's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.lab.links import End
from blink_cli.net.link.video_description import split_sections, whole_description
from blink_cli.net.link_settings import LinkConnected
from blink_cli.runtime.tasks import TaskOwner
from blink_cli.video.cameras.opener import open_camera
from blink_cli.video.codec.vp8_decoder import Vp8Decoder
from blink_cli.video.codec.vp8_encoder import Vp8Encoder
from blink_cli.video.picture import Picture
from tests.net.gossip_parts import eventually
from tests.net.link.test_link_video import VideoEnd
from tests.support.browser import Browser, browser

pytestmark = [pytest.mark.timeout(120), pytest.mark.real_time]

FPS = 15


@pytest.fixture
def microphone(tmp_path: Path) -> Path:
    path = tmp_path / "microphone.wav"
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    soundfile.write(path, tone.astype(np.float32), 48_000, subtype="PCM_16")
    return path


@pytest.fixture
async def ours() -> AsyncIterator[VideoEnd]:
    async with TaskOwner("test") as tasks:
        end = VideoEnd(End("ours", tasks))
        yield end
        await end.end.link.aclose()


async def show(ours: VideoEnd, seconds: float) -> None:
    """The test picture, at its pace and the rate of the link, with a key frame whenever one is wanted."""
    camera = open_camera(f"testsrc?size=320x240&fps={FPS}")
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    camera.start(began_s)
    encoder = Vp8Encoder(camera.parameters.size, FPS, 300_000)
    granted = 0
    while loop.time() < began_s + seconds:
        await asyncio.sleep(max(camera.ready_s(loop.time()) - loop.time(), 0.001))
        picture = camera.read(loop.time())
        if picture is None:
            continue
        wanted = ours.told.count("key")
        coded = encoder.encode(
            picture, ours.video.rate.target_bps, camera.parameters.fps, key=wanted > granted
        )
        granted = wanted
        if coded is not None:
            ours.video.send(coded)
    camera.stop()
    encoder.close()


def decoded(frames: list[CodedPicture]) -> list[Picture]:
    decoder = Vp8Decoder()
    return [picture for frame in frames if (picture := decoder.decode(frame)) is not None]


async def seen(ours: VideoEnd, page: Browser) -> dict[str, Any]:
    """Both show for some seconds; returns Chromium's inbound-rtp of video, after what both must have seen was checked."""
    await eventually(lambda: "agreed" in ours.told)
    await show(ours, 5.0)
    await eventually(lambda: len(ours.frames) > 30)
    pictures = decoded(ours.frames)
    assert pictures[-1].size.width >= 160
    assert pictures[-1].y.std() > 10, "its camera shows something"
    (inbound,) = (
        entry
        for entry in await page.ask("statistics")
        if entry["type"] == "inbound-rtp" and entry["kind"] == "video"
    )
    assert inbound["framesDecoded"] > 3 * FPS
    assert (inbound["frameWidth"], inbound["frameHeight"]) == (320, 240)
    assert inbound["packetsLost"] == 0
    assert ours.video.remote is not None, "its receiver reports come"
    assert ours.video.rate.throughput_bps is not None, "its feedback on arrivals comes"
    return dict(inbound)


async def test_we_offer_pictures_to_a_browser_in_a_running_call(ours: VideoEnd, microphone: Path) -> None:
    link = ours.end.link
    async with browser(microphone, red=False) as page:
        await link.accept_answer(await page.ask("answer", await link.create_offer()))
        await ours.end.until_state(LinkConnected, within_s=20)
        section = ours.video.offer_section()
        answer = await page.ask(
            "answerVideo", whole_description(link.description, section, mid="video", version=2)
        )
        ours.video.accept_section(split_sections(answer)[1][0])
        await seen(ours, page)
        voice = len(ours.end.packets)
        await ours.end.until(lambda: len(ours.end.packets) > voice + 20)


async def test_a_browser_offers_pictures_in_a_running_call(ours: VideoEnd, microphone: Path) -> None:
    link = ours.end.link
    async with browser(microphone, red=False) as page:
        await page.ask("accept", await link.accept_offer(await page.ask("offer")))
        await ours.end.until_state(LinkConnected, within_s=20)
        (offered,) = split_sections(await page.ask("offerVideo"))[1]
        section = ours.video.answer_section(offered)
        mid = next(line.removeprefix("a=mid:") for line in section.splitlines() if line.startswith("a=mid:"))
        await page.ask("accept", whole_description(link.description, section, mid=mid, version=2))
        await seen(ours, page)
