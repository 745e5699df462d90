"""A voice is what sounds like speech and stands out of the room. The only module that imports earshot.

    10 ms ──> 16 kHz ──> softer in a loud room ──> windows of 16 ms ──> earshot: 0 to 1 ──> voice, where it is louder than the room too
      └──> level above the room ───────┘───────────────────────────────────────────────┘

earshot is sure of speech after 20 to 60 ms, and believes in it for 50 to 250 ms after its end: loudness tells when it ends, and lets a
sound that grows begin as soon as earshot takes it for more than noise. Loudness alone takes a keyboard for a voice.
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

HISS_SCORE: Final = 0.35
"""Claps and rustling paper score up to 0.35, as the hissing sounds of speech do at their beginning."""

GROWING_SCORE: Final = 0.22
"""Enough of a sound that is no hiss, lasts, and does not fade as that of a struck key: earshot goes by 50 ms and more, and hesitates at the
beginning of a voice."""

GROWING_TICKS: Final = 2
FADES_DB: Final = 4
"""So much softer than one of the last 30 ms, a sound is fading."""

HISS_CORRELATION: Final = 0.5
"""Of neighbouring samples at 16 kHz: vowels have 0.7 and more, white noise 0.3, hissing sounds less than nothing."""

SURPRISE_SCORE: Final = 0.45
"""Any sound that breaks digital silence surprises earshot: a hiss of -50 dBFS scores up to 0.4 then. What is soft must sound more like speech
until the room is known."""

SOFT_DBOV: Final = -38
ROOM_KNOWN_TICKS: Final = 100
"""After one second earshot has got used to a noise."""

RESTS_AFTER_TICKS: Final = 50
"""Digital silence for so long, and nothing is given to earshot any more: it hears the murmur alone."""

SILENT_TICKS: Final = 5
"""Digital silence for so long, and the room is forgotten: a microphone was off, or a file has a pause."""

QUIET_ROOM_DBOV: Final = -70.0
MOST_SOFTENED_DB: Final = 10.0
"""A louder room is turned down towards a quiet one, by so much at most, before earshot hears it: it takes noise for less then, and speech for more."""

SOFTENS_DB_PER_TICK: Final = 1.0
"""A floor falls at once; a gain that did so would be a sound."""

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
    """White noise for 1.28 s, 128 ticks at 16 kHz; the same each time, so that a sound is always judged alike.

    Source: Box and Muller, 1958, over the numbers of the first round of splitmix64 (Steele, Lea, Flood, 2014).
    """
    # By hand: numpy.random takes ten times as long to load, and may draw other numbers in another version.
    count = 128 * TICK_SAMPLES // FACTOR
    mixed = np.arange(1, 2 * count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    even = ((mixed >> np.uint64(40)).astype(np.float64) + 0.5) / 2.0**24
    drawn = np.sqrt(-2.0 * np.log(even[:count])) * np.cos(2.0 * np.pi * even[count:])
    return (drawn * 10 ** (MURMUR_DBFS / 20)).astype(np.float32).reshape(128, -1)


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
        self._tick: Samples = _MURMUR[0]
        """What earshot was given of the last 10 ms."""

        self._score = 0.0
        self._softened_db = self._wanted_softening_db
        self._ticks = 0
        self._silent_ticks = 0
        self._room_ticks = 0
        self._loud_ticks = 0
        self._before: tuple[int, int, int] = (SILENCE_DBOV, SILENCE_DBOV, SILENCE_DBOV)
        """Levels of the last ticks."""

        self._believed_ticks = 0
        for tick in _MURMUR:
            self._listen(tick)

    @override
    def update(self, block: Samples) -> bool:
        """Go by the last whole window, and the level of these 10 ms."""
        level = level_dbov(block)
        above_db = self._floor.update(level)
        self._silent_ticks = self._silent_ticks + 1 if level == SILENCE_DBOV else 0
        if self._silent_ticks <= RESTS_AFTER_TICKS:
            # In longer silence nothing changes: earshot goes on from here when there is something to hear.
            self._ticks += 1
            self._listen(self._heard(block))
        if self._is_voice(level, above_db):
            self._believed_ticks = HANGOVER_TICKS
            return True
        believed = self._believed_ticks > 0
        self._believed_ticks -= believed
        return believed

    def _heard(self, block: Samples) -> Samples:
        """Return what earshot is given of these 10 ms, shape (160,)."""
        heard = self._decimation.convert(block)
        step_db = self._wanted_softening_db - self._softened_db
        self._softened_db += min(max(step_db, -SOFTENS_DB_PER_TICK), SOFTENS_DB_PER_TICK)
        if self._softened_db:
            heard *= 10.0 ** (-self._softened_db / 20.0)
        heard += _MURMUR[self._ticks % len(_MURMUR)]
        if heard.item(heard.argmax()) > 1.0 or heard.item(heard.argmin()) < -1.0:
            np.clip(heard, -1.0, 1.0, out=heard)
        self._tick = heard
        return heard

    @property
    def _wanted_softening_db(self) -> float:
        return min(max(self._floor.dbov - QUIET_ROOM_DBOV, 0.0), MOST_SOFTENED_DB)

    def _is_voice(self, level: int, above_db: float) -> bool:
        before, self._before = self._before, (*self._before[1:], level)
        self._room_ticks = 0 if self._silent_ticks >= SILENT_TICKS else self._room_ticks + 1
        if self._believed_ticks:
            return self._score >= SPEECH_SCORE and above_db >= STAY_ABOVE_FLOOR_DB
        if above_db < START_ABOVE_FLOOR_DB or level < LOWEST_DBOV:
            self._loud_ticks = 0
            return False
        self._loud_ticks += 1
        if self._room_ticks < ROOM_KNOWN_TICKS and level < SOFT_DBOV:
            return self._score >= SURPRISE_SCORE
        if self._score < GROWING_SCORE or self._score >= HISS_SCORE:
            return self._score >= HISS_SCORE
        if _correlation(self._tick) < HISS_CORRELATION:
            return False
        growing = self._loud_ticks >= GROWING_TICKS and level >= max(before) - FADES_DB
        return growing or self._score >= SPEECH_SCORE

    def _listen(self, heard: Samples) -> None:
        taken = min(len(heard), WINDOW_SAMPLES - self._filled)
        self._window[self._filled : self._filled + taken] = heard[:taken]
        self._filled += taken
        if self._filled == WINDOW_SAMPLES:
            self._score = self._earshot.predict_f32(self._window)
            rest = heard[taken:]
            self._window[: len(rest)] = rest
            self._filled = len(rest)


def _correlation(samples: Samples) -> float:
    """How far each sample is like the one before it: -1 to 1."""
    return float(np.vdot(samples[1:], samples[:-1])) / max(float(np.vdot(samples, samples)), 1e-12)
