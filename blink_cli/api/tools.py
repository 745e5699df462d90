"""What needs no session: devices, pairs of sound files, RTP logs, captures. Each blocks a thread of its own, and not the event loop."""

import asyncio
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from blink_cli.api.documents import DeviceList

if TYPE_CHECKING:
    from blink_cli.codec.figures import ScoreDone
    from blink_cli.core.analysis.capture_figures import RtpCaptureFigures
    from blink_cli.core.analysis.log_figures import LogFigures


async def list_devices() -> DeviceList:
    """Return every audio device, real and virtual, and what to do when the system's cannot be listed."""
    from blink_cli.api.device_list import device_list  # noqa: PLC0415 - asks the system

    return await asyncio.to_thread(device_list)


async def score(heard: str | PathLike[str], sent: str | PathLike[str]) -> "ScoreDone":
    """Compare what was heard with what was sent, as `blink score`: PESQ-WB (with the extra `lab`), delay, gaps, clipped starts, level, clicks.

    Raises:
        BlinkError: A file cannot be read, or is no sound.

    """
    from blink_cli.codec.options import Source  # noqa: PLC0415 - numpy
    from blink_cli.codec.pair_score import score as scored  # noqa: PLC0415 - as above

    return await asyncio.to_thread(scored, Source(Path(heard)), Source(Path(sent)), lambda _: None)


async def analyze_rtp_log(path: str | PathLike[str]) -> "LogFigures":
    """Return loss, bursts, jitter, clocks, delay and quality of a log, per stream, as `blink rtp-analyze`.

    Raises:
        BlinkError: It cannot be read, or is no log.

    """
    from blink_cli.app.files.rtp_log_files import analyse_log  # noqa: PLC0415 - only here

    return await asyncio.to_thread(analyse_log, Path(path))


async def analyze_capture(
    path: str | PathLike[str],
    *,
    payload_types: Mapping[int, tuple[str, int]] | None = None,
    tracks: str | PathLike[str] | None = None,
) -> "RtpCaptureFigures":
    """Return the same of the RTP streams in a capture (pcap, pcapng) of any program, as `blink rtp-analyze`.

    Args:
        path: The capture.
        payload_types: Codec and clock rate of payload types that packets do not tell, as `{111: ("opus", 48_000)}`.
        tracks: A folder for the voices as sound; None: they are not wanted.

    Raises:
        BlinkError: It cannot be read, is no capture, or holds no RTP.

    """
    from blink_cli.app.files.capture_files import analyse_capture  # noqa: PLC0415 - only here

    return await asyncio.to_thread(
        analyse_capture,
        Path(path),
        payload_types or {},
        tracks_to=None if tracks is None else Path(tracks),
    )


def sample_speech() -> Path:
    """Return the path of 20 s of recorded speech that come with the program: for `input=f"file:{…}?loop=1"`."""
    return Path(__file__).parents[1] / "lab" / "speech" / "speech.flac"
