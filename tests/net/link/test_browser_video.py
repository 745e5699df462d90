"""Pictures between a link and real browsers, both ways around: Chromium and Firefox show ours, and we decode their cameras'."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import soundfile
from typing_extensions import override

from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.lab.links import End
from blink_cli.net.link.video_description import split_sections, whole_description
from blink_cli.net.link_settings import LinkConnected
from blink_cli.runtime.tasks import TaskOwner
from blink_cli.video.cameras.opener import open_camera
from blink_cli.video.codec.bounded_encoder import BoundedEncoder
from blink_cli.video.codec.picture_decoder import PictureDecoder
from blink_cli.video.coded_clock import age_s
from blink_cli.video.picture import Picture
from tests.net.gossip_parts import eventually
from tests.net.link.test_link_video import VideoEnd
from tests.support.browser import CHROMIUM, FIREFOX, Browser, browser

pytestmark = [pytest.mark.timeout(120), pytest.mark.real_time]

FPS = 15


@dataclass(frozen=True)
class Talk:
    """Who is at the other end, and how pictures are encoded."""

    program: str
    codec: VideoCodec

    @override
    def __str__(self) -> str:
        return f"{self.program} {self.codec}"


TALKS: Final = (
    Talk(CHROMIUM, VideoCodec.VP8),
    Talk(CHROMIUM, VideoCodec.H264),
    Talk(
        FIREFOX, VideoCodec.VP8
    ),  # of Debian it has no H.264 for calls: that is a plugin, which it would fetch
)


@pytest.fixture(params=TALKS, ids=str)
def talk(request: pytest.FixtureRequest) -> Talk:
    found: Talk = request.param
    return found


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


async def show(ours: VideoEnd, seconds: float, codec: VideoCodec) -> None:
    """The test picture, at its pace and the rate of the link, with a key frame whenever one is wanted."""
    camera = open_camera(f"testsrc?size=320x240&fps={FPS}")
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    camera.start(began_s)
    encoder = BoundedEncoder(camera.parameters.size, FPS, codec)
    granted = 0
    while loop.time() < began_s + seconds:
        await asyncio.sleep(max(camera.ready_s(loop.time()) - loop.time(), 0.001))
        picture = camera.read(loop.time())
        if picture is None:
            continue
        wanted = ours.told.count("key")
        coded = encoder.encode(picture, ours.video.encoder_bps(), camera.parameters.fps, key=wanted > granted)
        granted = wanted
        if coded is not None:
            ours.video.send(coded)
    camera.stop()
    encoder.close()


def decoded(frames: list[CodedPicture]) -> list[Picture]:
    decoder = PictureDecoder()
    return [picture for frame in frames if (picture := decoder.decode(frame)) is not None]


async def shown_age_s(page: Browser) -> float | None:
    """How old the picture is that the browser shows, by the clock in it; None where none can be read."""
    shown = await page.ask("picture")
    now_s = asyncio.get_running_loop().time()
    luma = np.array(shown["luma"], np.float32).reshape(shown["height"], shown["width"])
    limited = (16 + luma * 219 / 255).round().astype(np.uint8)  # a page sees the full range
    grey = np.full((shown["height"] // 2, shown["width"] // 2), 128, np.uint8)
    return age_s(Picture(limited, grey, grey, 0, None), now_s)


async def shown_ages_s(page: Browser) -> list[float | None]:
    """Five times, once it has had time to show something."""
    await asyncio.sleep(3)
    return [await shown_age_s(page) for _ in range(5)]


async def seen(ours: VideoEnd, page: Browser, talk: Talk) -> dict[str, Any]:
    """Both show for some seconds; returns the browser's inbound-rtp of video, after what both must have seen was checked."""
    await eventually(lambda: "agreed" in ours.told)
    _, ages = await asyncio.gather(show(ours, 6.0, talk.codec), shown_ages_s(page))
    await eventually(lambda: len(ours.frames) > 30)
    assert {frame.codec for frame in ours.frames} == {talk.codec}
    pictures = decoded(ours.frames)
    assert len(pictures) > 0.9 * len(ours.frames)
    assert pictures[-1].size.width >= 160
    assert np.ptp([picture.y.mean() for picture in pictures]) + pictures[-1].y.std() > 10, (
        "its camera shows something"
    )
    read = [age for age in ages if age is not None]
    assert len(read) >= 3, "the clock of our picture is read off its screen"
    assert max(read) < 1.5
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


async def test_we_offer_pictures_to_a_browser_in_a_running_call(
    ours: VideoEnd, microphone: Path, talk: Talk
) -> None:
    link = ours.end.link
    async with browser(microphone, h264=talk.codec is VideoCodec.H264, program=talk.program) as page:
        await link.accept_answer(await page.ask("answer", await link.create_offer()))
        await ours.end.until_state(LinkConnected, within_s=20)
        section = ours.video.offer_section()
        if talk.codec is VideoCodec.H264:  # it sends what is first in an offer
            section = section.replace(" 96 97 98 99", " 98 99 96 97")
        answer = await page.ask(
            "answerVideo", whole_description(link.description, section, mid="video", version=2)
        )
        ours.video.accept_section(split_sections(answer)[1][0])
        await seen(ours, page, talk)
        voice = len(ours.end.packets)
        await ours.end.until(lambda: len(ours.end.packets) > voice + 20)


async def test_a_browser_offers_pictures_in_a_running_call(
    ours: VideoEnd, microphone: Path, talk: Talk
) -> None:
    link = ours.end.link
    async with browser(microphone, h264=talk.codec is VideoCodec.H264, program=talk.program) as page:
        await page.ask("accept", await link.accept_offer(await page.ask("offer")))
        await ours.end.until_state(LinkConnected, within_s=20)
        (offered,) = split_sections(await page.ask("offerVideo"))[1]
        section = ours.video.answer_section(offered)
        mid = next(line.removeprefix("a=mid:") for line in section.splitlines() if line.startswith("a=mid:"))
        await page.ask("accept", whole_description(link.description, section, mid=mid, version=2))
        await seen(ours, page, talk)
