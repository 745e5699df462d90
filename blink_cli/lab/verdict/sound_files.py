"""What was said and heard in a case, as WAV files of 16 bits: for ears, for other judges, for the HTML report."""

from pathlib import Path

import numpy as np

from blink_cli.core.media.wav_header import PCM16, wav_header
from blink_cli.files.writing import write_over
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.scenario.observation import Observation
from blink_cli.lab.verdict.judging import heard_name, said_name, speaker_name


def write_sounds(seen: Observation, folder: Path) -> None:
    """Write all of them into a folder, which is made if it is not there; files of an earlier run are replaced.

    Raises:
        OSError: The disk refuses.

    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, sound in seen.microphones.items():
        _write(folder / said_name(name), sound)
    for name, sound in seen.speakers.items():
        _write(folder / speaker_name(name), sound)
    for pair in seen.pairs:
        _write(folder / heard_name(pair.speaker, pair.listener), pair.heard)


def _write(path: Path, sound: Samples) -> None:
    samples = np.clip(np.round(sound * 32767), -32768, 32767).astype("<i2").tobytes()
    write_over(path, wav_header(len(samples), PCM16) + samples)
