"""One end of a call of `bench voice --sockets --libwebrtc`: libwebrtc through PyPI's `wrtc`, with RED and NACK, in a process of its own.

    stdin   {"offer": true} | {"description": {...}} | {"speak": 21.5}            one order a line, one answer each
    stdout  {"description": {...}} | {"connected": true} | {"heard": {...}}

It speaks a file 10 ms at a time, and writes what comes out of its jitter buffer as it comes.
"""

import asyncio
import importlib
import json
import re
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.exit_codes import ExitCode

_TICK_S: Final = TICK_SAMPLES / SAMPLE_RATE_HZ
_LOOK_S: Final = 0.02
_LOOKS: Final = 1_000
_TOLD_S: Final = 0.5
"""So long before the end figures are asked for, as those of a closed connection are gone."""


@dataclass(frozen=True)
class Heard:
    """What an end has to tell of a call."""

    spoke_at: float
    """When its first word began, monotonic."""

    began_at: float
    """When the first sample of its file was played, monotonic."""

    bytes_sent: int
    concealed_samples: int
    total_samples: int
    send_late_ms: float
    """99th percentile of how late its blocks were written."""


def with_red_and_nack(sdp: str) -> str:
    """The description with RED before Opus, so that it is sent, and with requests for lost packets of both."""
    found = re.search(r"^a=rtpmap:(\d+) red/48000/2\r?$", sdp, re.MULTILINE)
    opus = re.search(r"^a=rtpmap:(\d+) opus/48000/2\r?$", sdp, re.MULTILINE)
    if found is None or opus is None:
        raise LookupError("libwebrtc describes no RED")
    types = [found[1], opus[1]]

    def preferred(line: re.Match[str]) -> str:
        return " ".join([line[1], *types, *(word for word in line[2].split() if word not in types)])

    sdp = re.sub(r"^(m=audio \d+ \S+) ([\d ]+)", preferred, sdp, flags=re.MULTILINE)
    asked = "".join(f"a=rtcp-fb:{number} nack\r\n" for number in types if f"{number} nack\r" not in sdp)
    return re.sub(r"(?=^a=rtpmap:)", asked, sdp, count=1, flags=re.MULTILINE)


class Peer:
    """The end."""

    def __init__(self, speech: Path, heard: Path) -> None:
        self._webrtc: Any = importlib.import_module("webrtc")
        samples, rate_hz = soundfile.read(speech, dtype="float32", always_2d=True)
        sound = soxr.resample(samples[:, 0], rate_hz, SAMPLE_RATE_HZ)
        self._sound = (np.clip(sound, -1, 1) * 32767).astype(np.int16)
        self._heard = heard
        self._connection = self._webrtc.RTCPeerConnection()
        self._generator = self._webrtc.MediaStreamTrackGenerator("audio")
        self._track: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._connection.on("track", self._tracked)
        self._connection.add_track(self._generator)

    def _tracked(self, event: Any) -> None:
        if not self._track.done():
            self._track.set_result(event.track)

    async def describe(self, theirs: dict[str, str] | None) -> dict[str, str] | None:
        """Offer; or answer an offer; or take an answer, which says nothing more."""
        connection, webrtc = self._connection, self._webrtc
        if theirs is not None:
            await connection.set_remote_description(webrtc.RTCSessionDescriptionInit(**theirs))
            if theirs["type"] == "answer":
                return None
        own = await (connection.create_offer() if theirs is None else connection.create_answer())
        kind = "offer" if theirs is None else "answer"
        await connection.set_local_description(
            webrtc.RTCSessionDescriptionInit(type=kind, sdp=with_red_and_nack(own.sdp))
        )
        await self._until(lambda: connection.ice_gathering_state == "complete", "gathers no candidates")
        # What it says of itself later is without what it did not choose itself.
        return {"type": kind, "sdp": with_red_and_nack(connection.local_description.sdp)}

    async def connected(self) -> None:
        """Wait until media can pass."""
        await self._until(lambda: self._connection.connection_state == "connected", "does not connect")

    async def _until(self, is_so: Any, complaint: str) -> None:
        for _ in range(_LOOKS):
            if is_so():
                return
            await asyncio.sleep(_LOOK_S)
        raise TimeoutError(f"libwebrtc {complaint}")

    async def call(self, seconds: float) -> Heard:
        """Speak the file once, and silence behind it; return what was heard meanwhile."""
        blocks: list[npt.NDArray[np.int16]] = []
        played_at: list[float] = []
        began_at = time.monotonic()
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read(blocks, played_at), name="read")
            late_s = await self._speak(began_at, round((seconds - _TOLD_S) / _TICK_S), 0)
            figures = list((await self._connection.get_stats()).values())
            await self._speak(began_at, round(_TOLD_S / _TICK_S), len(late_s))
            reading.cancel()
        soundfile.write(self._heard, np.concatenate(blocks), SAMPLE_RATE_HZ, subtype="PCM_16")
        (received,) = (entry for entry in figures if entry.type == "inbound-rtp")
        (sent,) = (entry for entry in figures if entry.type == "outbound-rtp")
        return Heard(
            spoke_at=began_at,
            began_at=float(np.median(np.array(played_at) - np.arange(len(played_at)) * _TICK_S)),
            bytes_sent=sent.bytes_sent,
            concealed_samples=received.concealed_samples,
            total_samples=received.total_samples_received,
            send_late_ms=1000 * float(np.percentile(late_s, 99)),
        )

    async def _speak(self, began_at: float, ticks: int, from_tick: int) -> list[float]:
        webrtc, writer = self._webrtc, self._generator.writable.get_writer()
        late_s = []
        for tick in range(from_tick, from_tick + ticks):
            due_at = began_at + (tick + 1) * _TICK_S  # a block is there when its last sample was spoken
            await asyncio.sleep(max(due_at - time.monotonic(), 0))
            late_s.append(time.monotonic() - due_at)
            block = np.zeros(TICK_SAMPLES, np.int16)
            said = self._sound[tick * TICK_SAMPLES : (tick + 1) * TICK_SAMPLES]
            block[: len(said)] = said
            data = webrtc.AudioDataInit(
                format="s16",
                sample_rate=SAMPLE_RATE_HZ,
                number_of_frames=TICK_SAMPLES,
                number_of_channels=1,
                timestamp=tick * 10_000,
                data=block.tobytes(),
            )
            writer.write(webrtc.AudioData(data))
        writer.release_lock()
        return late_s

    async def _read(self, blocks: list[npt.NDArray[np.int16]], played_at: list[float]) -> None:
        webrtc = self._webrtc
        plane = webrtc.AudioDataCopyToOptions(plane_index=0)
        processor = webrtc.MediaStreamTrackProcessor(webrtc.MediaStreamTrackProcessorInit(await self._track))
        async for data in processor.readable:
            played_at.append(time.monotonic())
            content = bytearray(data.allocation_size(plane))
            data.copy_to(content, plane)
            blocks.append(np.frombuffer(bytes(content), np.int16)[:: data.number_of_channels])

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


async def _obey(speech: Path, heard: Path) -> None:
    peer = Peer(speech, heard)
    orders = asyncio.StreamReader(limit=2**20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    while line := await orders.readline():
        order = json.loads(line)
        answer: dict[str, Any]
        if "speak" in order:
            answer = {"heard": asdict(await peer.call(order["speak"]))}
        elif "connected" in order:
            await peer.connected()
            answer = {"connected": True}
        else:
            answer = {"description": await peer.describe(order["description"])}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    peer.close()


if __name__ == "__main__":
    asyncio.run(_obey(Path(sys.argv[1]), Path(sys.argv[2])))
    sys.exit(ExitCode.DONE)
