"""Streams of GStreamer and FFmpeg over the loopback, captured by tcpdump: every figure is tshark's."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from blink_cli.lab.requirements import require_program
from tests.record.capture.parts import SAP_PORT, description
from tests.record.capture.test_wireshark_table import agree

pytestmark = pytest.mark.netns  # for its need of root: capturing


@asynccontextmanager
async def captured(file: Path, port: int) -> AsyncIterator[socket.socket]:
    """Capture what comes to a port, and what is announced; yields a socket for sending."""
    wanted = f"udp dst port {port} or udp dst port {SAP_PORT}"
    process = await asyncio.create_subprocess_exec(
        *(require_program("tcpdump"), "-n", "-U", "-i", "lo", "-w", "-", wanted),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            async with asyncio.timeout(15):
                while b"listening on" not in await process.stderr.readline():
                    pass
            yield sender
            sender.sendto(b"goodbye", ("127.0.0.1", port))
        data = b""
        async with asyncio.timeout(15):  # what was sent before goodbye is captured when that is
            while b"goodbye" not in data:
                data += await process.stdout.read(1 << 20)
        await asyncio.to_thread(file.write_bytes, data)
    finally:
        process.terminate()
        await process.wait()


async def ran(program: str, *words: str, debian_package: str | None = None) -> None:
    path = (
        require_program(program)
        if debian_package is None
        else require_program(program, debian_package=debian_package)
    )
    process = await asyncio.create_subprocess_exec(path, *words, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0


async def test_streams_of_other_programs_have_tsharks_figures(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target:
        target.bind(("127.0.0.1", 0))
        port = target.getsockname()[1]
        async with captured(tmp_path / "call.pcap", port) as sender:
            sender.sendto(description("127.0.0.1", port, "97 opus/48000/2"), ("127.0.0.1", SAP_PORT))
            sink = f"udpsink host=127.0.0.1 port={port} sync=false"
            encoder = "audiotestsrc num-buffers=150 ! audioconvert ! opusenc"
            losing = "identity drop-probability=0.1"
            await ran(
                "gst-launch-1.0", "-q",
                *f"{encoder} ! rtpopuspay pt=97 ssrc=17 ! {losing} ! {sink}".split(),
                *f"{encoder} ! rtpopuspay pt=98 ssrc=18 ! rtpredenc pt=99 distance=2 ! {losing} ! {sink}".split(),
                *f"audiotestsrc num-buffers=100 ! audioconvert ! audioresample ! mulawenc ! rtppcmupay ssrc=19 ! {sink}".split(),
                debian_package="gstreamer1.0-tools",
            )  # fmt: skip
            tone = ("-f", "lavfi", "-i", "sine=500:duration=3", "-ac", "1", "-ar", "8000", "-c:a", "pcm_alaw")
            await ran(
                "ffmpeg", "-loglevel", "error", *tone, "-f", "rtp", "-ssrc", "20", f"rtp://127.0.0.1:{port}"
            )
    found = {one.ssrc: one for one in agree(tmp_path / "call.pcap")}
    codecs = {
        ssrc: one.payload_types[0].codec
        for ssrc, one in found.items()
        if one.payload_types[0].codec is not None
    }
    assert codecs == {17: "opus", 18: "red", 19: "PCMU", 20: "PCMA"}
    assert found[17].inbound.packets_lost > 0
