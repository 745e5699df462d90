"""What light participants say: a sound, encoded once for all who say it, again and again."""

from typing import Final

from blink_cli.audio.devices.interface import DeviceParameters
from blink_cli.audio.opus.adjustable_encoder import AdjustableEncoder
from blink_cli.audio.source_pipeline import SourcePipeline
from blink_cli.audio.voice_activity.choice import detector_for
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.lab.scenario.case import Sound
from blink_cli.lab.scenario.microphone import looped, once

FRAME_SAMPLES: Final = SAMPLE_RATE_HZ // 50
MOST_S: Final = 60.0
"""Of a longer file only the beginning is said: encoding it takes two seconds."""


def speech_frames(sound: Sound, most_s: float = MOST_S) -> tuple[EncodedFrame, ...]:
    """Return frames of 20 ms, with levels and voice activity as a session's source track makes them; times count from 0.

    Takes 0.7 ms a frame: for a thread.

    Args:
        sound: A voice and a tone have twenty seconds.
        most_s: What is said for less time is not needed in its whole length.

    Raises:
        UsageError: A file cannot be read.
        DeviceError: There is no libopus.

    """
    most = round(min(most_s, MOST_S) * SAMPLE_RATE_HZ)
    whole = min(len(once(sound)), most) // FRAME_SAMPLES * FRAME_SAMPLES
    samples = looped(sound, max(whole, FRAME_SAMPLES))
    frames: list[EncodedFrame] = []
    pipeline = SourcePipeline(
        AdjustableEncoder(CodecSettings()),
        frames.append,
        first_timestamp=0,
        detector=detector_for(DeviceParameters(f"{sound.kind}:", SAMPLE_RATE_HZ, 1, virtual=True)),
    )
    for at in range(0, len(samples), FRAME_SAMPLES):
        pipeline.process(samples[at : at + FRAME_SAMPLES], (at + FRAME_SAMPLES) / SAMPLE_RATE_HZ)
    return tuple(frames)
