"""What is kept of a case: what was said and heard, as WAV files of 16 bits, what each playout did, and what participants recorded. For ears, for other judges, for the HTML report."""

from pathlib import Path

import msgspec
import numpy as np

from blink_cli.core.media.wav_header import PCM16, wav_header
from blink_cli.files.writing import write_over
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.scenario.observation import Observation
from blink_cli.lab.verdict.judging import (
    decisions_name,
    heard_name,
    recording_name,
    said_name,
    speaker_name,
)


def write_kept(seen: Observation, folder: Path) -> None:
    """Write all of it into a folder, which is made if it is not there; files of an earlier run are replaced.

    Raises:
        OSError: The disk refuses.

    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, sound in seen.microphones.items():
        _write(folder / said_name(name), sound)
    for name, sound in seen.speakers.items():
        _write(folder / speaker_name(name), sound)
    for kept in seen.recordings:
        write_over(folder / recording_name(kept), kept.content)
    for pair in seen.pairs:
        _write(folder / heard_name(pair.speaker, pair.listener), pair.heard)
        lines = b"".join(msgspec.json.encode(line) + b"\n" for line in pair.decisions)
        write_over(folder / decisions_name(pair.speaker, pair.listener), lines)


def _write(path: Path, sound: Samples) -> None:
    samples = np.clip(np.round(sound * 32767), -32768, 32767).astype("<i2").tobytes()
    write_over(path, wav_header(len(samples), PCM16) + samples)
