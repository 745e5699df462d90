"""A track of a recording as ffmpeg's own Opus decoder plays it: not our reader, and not our decoder."""

import asyncio
from pathlib import Path

import numpy as np
import numpy.typing as npt

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.requirements import require_program


async def decoded(path: Path, track: int) -> npt.NDArray[np.float32]:
    """Return one channel at 48 kHz; skips the test where there is no ffmpeg."""
    ffmpeg = require_program("ffmpeg")
    process = await asyncio.create_subprocess_exec(
        *(ffmpeg, "-v", "error", "-i", str(path), "-map", f"0:{track}"),
        *("-f", "f32le", "-ac", "1", "-ar", str(SAMPLE_RATE_HZ), "-"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    return np.frombuffer(stdout, np.float32)
