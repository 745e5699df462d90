"""Sound files to and from devices, without a codec: a microphone into a file, a file to a speaker.

The devices are handled as `test-input` and `test-output` do; what is recorded is what a call would hear.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from blink_cli.audio.device_test.microphone import LevelNow, record
from blink_cli.audio.device_test.speaker import play, recording
from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.codec.conversion import Conversion
from blink_cli.codec.figures import SoundFile, SoundPlayed, SoundRecorded
from blink_cli.codec.options import SampleFormat, Source
from blink_cli.codec.rates import LevelMeter
from blink_cli.codec.sound_reader import file_read, open_sound
from blink_cli.codec.sound_writer import kind_of, sound_sink
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import UsageError
from blink_cli.core.text.path_text import shown
from blink_cli.runtime.clock import Clock

MOST_SECONDS: Final = 600
"""What is recorded or played is kept in memory: 12 MB a minute."""


def record_file(
    microphone: InputDevice,
    out: Path,
    *,
    seconds: float,
    sample_format: SampleFormat | None,
    clock: Clock,
    on_level: Callable[[LevelNow], None],
    go_on: Callable[[], None],
) -> SoundRecorded:
    """Record what a call would hear, 48 kHz and one channel. Blocks; the file is written behind the end.

    Args:
        microphone: Not started.
        out: A file of sound, see `sound_writer`.
        seconds: How long, `MOST_SECONDS` at most.
        sample_format: Of the file.
        clock: Time.
        on_level: Called about twenty times a second.
        go_on: Called as often; what it raises ends the recording, and nothing is written.

    Raises:
        BlinkError: The microphone does not work, or the file cannot be written.

    """
    heard = record(microphone, seconds, clock, on_level, go_on)
    level = LevelMeter()
    sound = heard.voice[:, np.newaxis]
    level.take(sound)
    with sound_sink(out, SAMPLE_RATE_HZ, 1, sample_format) as write:
        write(sound)
    return SoundRecorded(
        input=heard.device.name,
        output=SoundFile(
            path=str(out),
            kind=kind_of(out),
            rate_hz=SAMPLE_RATE_HZ,
            channels=1,
            duration_s=round(len(sound) / SAMPLE_RATE_HZ, 6),
            level_dbfs=level.level_dbfs,
            peak_dbfs=level.peak_dbfs,
        ),
        gaps=heard.gaps,
        missing_ms=round(1000 * heard.missing_s, 1),
    )


def play_file(
    source: Source,
    speaker: OutputDevice,
    clock: Clock,
    go_on: Callable[[], None],
    *,
    on_read: Callable[[], None],
) -> SoundPlayed:
    """Play a file, all channels as one voice, and wait until it is heard. Blocks.

    Args:
        source: What.
        speaker: Not started.
        clock: Time.
        go_on: Called often; what it raises ends the playing.
        on_read: Called when the file is read and playing begins.

    Raises:
        BlinkError: The file cannot be read, or the speaker does not work.

    """
    level = LevelMeter()
    with open_sound(source) as reader:
        form = reader.form
        conversion = Conversion(form.rate_hz, form.channels, SAMPLE_RATE_HZ, 1)
        pieces = []
        for block in reader.blocks():
            level.take(block)
            pieces.append(conversion.convert(block))
            if level.frames > MOST_SECONDS * form.rate_hz:
                raise UsageError(
                    f"{shown(source.path)} lasts longer than {MOST_SECONDS // 60} minutes.",
                    hint="`blink serve --input file:PATH` plays files of any length into a call.",
                )
        pieces.append(conversion.finish())
    voice = np.concatenate(pieces)[:, 0]
    on_read()
    played = play(speaker, recording(voice, speaker.parameters.sample_rate_hz), clock, lambda _: None, go_on)
    return SoundPlayed(
        input=file_read(source.path, form, level),
        output=played.device.name,
        seconds=round(played.seconds, 3),
        lost_ms=round(1000 * played.lost_s, 1),
        latency_ms=round(1000 * played.latency_s, 1),
    )
