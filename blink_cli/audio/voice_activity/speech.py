"""A voice is what sounds like speech and stands out of the room. The only module that imports earshot.

    10 ms ──> 16 kHz ──> windows of 16 ms ──> earshot: 0 to 1 ──> voice, where it is louder than the room too
      └──> level above the room ────────────────────────────────┘

earshot alone knows speech within 20 to 30 ms, and believes in it for 50 to 250 ms after its end: loudness tells when it ends. Loudness alone
takes a keyboard for a voice.
"""

from typing import Final, Protocol

import numpy as np
from typing_extensions import override

from blink_cli.audio.level import level_dbov
from blink_cli.audio.samples import Samples
from blink_cli.audio.voice_activity.decimation import FACTOR, Decimation
from blink_cli.audio.voice_activity.detector import HANGOVER_TICKS, VoiceDetector
from blink_cli.audio.voice_activity.noise_floor import NoiseFloor
from blink_cli.core.audio_format import SILENCE_DBOV, TICK_SAMPLES

WINDOW_SAMPLES: Final = 256
"""What earshot wants at a time, at 16 kHz."""

SPEECH_SCORE: Final = 0.3
"""Steady noise scores up to 0.25, 20 ms of speech 0.4 and more (docs/talking.md)."""

SURPRISE_SCORE: Final = 0.45
"""Any sound that breaks digital silence surprises earshot: a hiss of -50 dBFS scores up to 0.4 then. What is soft must sound more like speech
until the room is known."""

SOFT_DBOV: Final = -38
ROOM_KNOWN_TICKS: Final = 100
"""After one second earshot has got used to a noise."""

SILENT_TICKS: Final = 5
"""Digital silence for so long, and the room is forgotten: a microphone was off, or a file has a pause."""

MURMUR_DBFS: Final = -76.0
"""Noise that earshot hears with everything, softer than any room: from nothing at all every sound is like a voice."""

START_ABOVE_FLOOR_DB: Final = 9.0
STAY_ABOVE_FLOOR_DB: Final = 6.0
"""Lower than the start, so that a soft syllable does not end a voice."""

LOWEST_DBOV: Final = -70.0
"""Quieter than this nobody hears it."""

FLOOR_HIGHEST_DBOV: Final = -20.0
"""A loud fan may become the room: a vowel that is held that long is heard by how it sounds."""


def _murmur() -> Samples:
    """Noise for 1.28 s, 128 ticks at 16 kHz; the same each time, so that a sound is always judged alike."""
    drawn = np.random.default_rng(16).standard_normal((128, TICK_SAMPLES // FACTOR), dtype=np.float32)
    return drawn * np.float32(10 ** (MURMUR_DBFS / 20))


_MURMUR: Final = _murmur()


class _Earshot(Protocol):
    def reset(self) -> None: ...

    def predict_f32(self, frame: Samples) -> float: ...


class SpeechDetector(VoiceDetector):
    """Takes some 20 us a tick."""

    def __init__(self) -> None:
        """Prepare.

        Raises:
            ImportError: earshot is not installed, or has no build for this platform.

        """
        import earshot  # noqa: PLC0415 - there are platforms without it

        self._earshot: _Earshot = earshot.Detector()
        self._ticks = 1
        self.reset()

    @property
    @override
    def name(self) -> str:
        """What it goes by."""
        return "speech"

    @override
    def reset(self) -> None:
        """Begin in a quiet room: 1 ms, and nothing while nothing was heard since."""
        if not self._ticks:
            return
        self._earshot.reset()
        self._floor = NoiseFloor(FLOOR_HIGHEST_DBOV)
        self._decimation = Decimation()
        self._window: Samples = np.zeros(WINDOW_SAMPLES, dtype=np.float32)
        self._filled = 0
        self._score = 0.0
        self._ticks = 0
        self._silent_ticks = 0
        self._room_ticks = 0
        self._believed_ticks = 0
        for tick in _MURMUR:
            self._listen(tick)

    @override
    def update(self, block: Samples) -> bool:
        """Go by the last whole window, and the level of these 10 ms."""
        murmur = _MURMUR[self._ticks % len(_MURMUR)]
        self._ticks += 1
        self._listen(np.clip(self._decimation.convert(block) + murmur, -1.0, 1.0))
        level = level_dbov(block)
        if self._is_voice(level, self._floor.update(level)):
            self._believed_ticks = HANGOVER_TICKS
            return True
        believed = self._believed_ticks > 0
        self._believed_ticks -= believed
        return believed

    def _is_voice(self, level: int, above_db: float) -> bool:
        self._silent_ticks = self._silent_ticks + 1 if level == SILENCE_DBOV else 0
        self._room_ticks = 0 if self._silent_ticks >= SILENT_TICKS else self._room_ticks + 1
        if self._believed_ticks:
            return self._score >= SPEECH_SCORE and above_db >= STAY_ABOVE_FLOOR_DB
        surprised = self._room_ticks < ROOM_KNOWN_TICKS and level < SOFT_DBOV
        score = SURPRISE_SCORE if surprised else SPEECH_SCORE
        return self._score >= score and above_db >= START_ABOVE_FLOOR_DB and level >= LOWEST_DBOV

    def _listen(self, heard: Samples) -> None:
        taken = min(len(heard), WINDOW_SAMPLES - self._filled)
        self._window[self._filled : self._filled + taken] = heard[:taken]
        self._filled += taken
        if self._filled == WINDOW_SAMPLES:
            self._score = self._earshot.predict_f32(self._window)
            rest = heard[taken:]
            self._window[: len(rest)] = rest
            self._filled = len(rest)
