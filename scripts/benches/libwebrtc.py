"""libwebrtc through PyPI's `wrtc`, for `cpu`: the same voice over as many connections, each with an encoder of its own, as it comes."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES

webrtc: Any = importlib.import_module("webrtc")
"""Not a dependency: only this bench uses it, so nothing is known of it but when it runs."""

webrtc.allow_loopback()

_LOOK_EVERY_S: Final = 0.02
_LOOKS: Final = 500


class Talker:
    """A generated track that is written 10 ms at a time."""

    def __init__(self, sound: npt.NDArray[np.float32]) -> None:
        self.track = webrtc.MediaStreamTrackGenerator("audio")
        self._writer = self.track.writable.get_writer()
        self._sound = (sound * 32767).astype(np.int16)
        self._tick = 0

    def speak(self) -> None:
        """Say the next 10 ms."""
        at = self._tick * TICK_SAMPLES % (len(self._sound) - TICK_SAMPLES)
        data = webrtc.AudioData(
            webrtc.AudioDataInit(
                format="s16",
                sample_rate=SAMPLE_RATE_HZ,
                number_of_frames=TICK_SAMPLES,
                number_of_channels=1,
                timestamp=self._tick * 10_000,
                data=self._sound[at : at + TICK_SAMPLES].tobytes(),
            )
        )
        self._tick += 1
        self._writer.write(data)


@asynccontextmanager
async def connected(
    count: int, sound: npt.NDArray[np.float32]
) -> AsyncIterator[tuple[Talker, Callable[[], Any]]]:
    """So many connected pairs that carry one voice; yields the speaker, and a count of packets received to await."""
    talker = Talker(sound)
    pairs: list[tuple[Any, Any]] = []
    for _ in range(count):
        a, b = webrtc.RTCPeerConnection(), webrtc.RTCPeerConnection()
        pairs.append((a, b))
        a.add_track(talker.track)
        await a.set_local_description(await a.create_offer())
        await _gathered(a)
        await b.set_remote_description(a.local_description)
        await b.set_local_description(await b.create_answer())
        await _gathered(b)
        await a.set_remote_description(b.local_description)

    async def received() -> int:
        total = 0
        for _, b in pairs:
            for report in (await b.get_stats()).values():
                if report.type == "inbound-rtp":
                    total += report.packets_received
        return total

    try:
        yield talker, received
    finally:
        for pair in pairs:
            for end in pair:
                end.close()


async def _gathered(connection: Any) -> None:
    for _ in range(_LOOKS):
        if connection.ice_gathering_state == "complete":
            return
        await asyncio.sleep(_LOOK_EVERY_S)
    raise TimeoutError("libwebrtc does not finish gathering candidates")
