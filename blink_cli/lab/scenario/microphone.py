"""What each microphone hears in a case, from its beginning to its end: the speech of all turns and steps as one piece of sound."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soxr

from blink_cli.audio.devices.sounds import DECODING_ERRORS
from blink_cli.audio.sound_file import ForwardSoundFile
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import UsageError
from blink_cli.core.text.path_text import shown
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.scenario.case import Action, Case, Person, Sound
from blink_cli.lab.voices import voice
from blink_cli.record.failure_text import failure_text

TONE_AMPLITUDE: Final = 0.1

BREATH_S: Final = 0.5
"""At the end of a turn, so that a voice that comes late is heard alone all the same, and everybody has stopped talking."""

FADE_SAMPLES: Final = SAMPLE_RATE_HZ // 100


def heard_by_microphones(case: Case) -> dict[str, Samples]:
    """Return the sound of each participant's microphone over the whole case, 48 kHz, muted or not, in the call or not.

    Raises:
        UsageError: A sound file cannot be read.

    """
    return {
        person.name: _heard(case, person, [action for action in case.actions if action.who == person.name])
        for person in case.people
    }


def _heard(case: Case, person: Person, actions: Sequence[Action]) -> Samples:
    total = _count(case.duration_s)
    sound = np.zeros(total, np.float32)
    changes = [action for action in actions if action.do == "set-input"]
    starts = [0.0, *(change.at_s for change in changes)]
    ends = [*starts[1:], case.duration_s]
    sources = [person.voice, *(change.sound for change in changes)]
    for number, (start_s, end_s, source) in enumerate(zip(starts, ends, sources, strict=True)):
        if number == 0 and person.scripted:
            continue
        first, last = _count(start_s), _count(end_s)
        sound[first:last] = looped(source, last - first)
        if number == 0 and person.turn is not None:
            sound[first:last] *= _turns(case, person, last - first)
    for action in actions:
        if action.do == "speak":
            said = once(action.sound)
            first = _count(action.at_s)
            most = total - first if action.lasts_s is None else min(_count(action.lasts_s), total - first)
            said = _faded(said[:most])
            sound[first : first + len(said)] = said
    return sound


def _turns(case: Case, person: Person, count: int) -> Samples:
    """Return one where it is this participant's turn, and zero where it is another's."""
    assert person.turn is not None, "it speaks in turns"
    index, turn_s = person.turn
    turn = _count(turn_s)
    gate = np.zeros(count, np.float32)
    spoken = max(turn - _count(BREATH_S), FADE_SAMPLES * 2)
    for start in range(index * turn, count, turn * len(case.people)):
        piece = _faded(np.ones(min(spoken, count - start), np.float32))
        gate[start : start + len(piece)] = piece
    return gate


def looped(sound: Sound, count: int) -> Samples:
    """Return so many samples of it, again and again from its beginning."""
    if sound.kind == "tone":
        return _tone(sound.frequency_hz, count)
    whole = once(sound)
    return np.resize(whole, count) if len(whole) else np.zeros(count, np.float32)


def once(sound: Sound) -> Samples:
    """Return all of it: a voice and a tone have twenty seconds."""
    match sound.kind:
        case "voice":
            return voice(sound.index, 20.0)
        case "tone":
            return _tone(sound.frequency_hz, 20 * SAMPLE_RATE_HZ)
        case "silence":
            return np.zeros(SAMPLE_RATE_HZ, np.float32)
        case "file":
            return read_sound(sound.path)


@functools.lru_cache(maxsize=8)
def read_sound(path: Path) -> Samples:
    """Read a sound file, as one channel at 48 kHz.

    Raises:
        UsageError: It cannot be opened, is no sound, or is empty.

    """
    try:
        with ForwardSoundFile(path) as file:
            rate_hz: int = file.samplerate
            # In pieces: a file that is read forward, such as one that a pipe wrote, need not say how long it is.
            pieces = [file.read(rate_hz, dtype="float32", always_2d=True)]
            while len(pieces[-1]):
                pieces.append(file.read(rate_hz, dtype="float32", always_2d=True))
    except DECODING_ERRORS as error:
        raise UsageError(
            f"The sound {shown(path)} cannot be read: {failure_text(error)}.",
            hint="Take a WAV or FLAC file, for example.",
        ) from error
    mono = np.asarray(np.mean(np.concatenate(pieces), axis=1), np.float32)
    if not len(mono):
        raise UsageError(f"The sound {shown(path)} is empty.", hint="Choose a file that is not empty.")
    if rate_hz == SAMPLE_RATE_HZ:
        return mono
    return np.asarray(soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ), np.float32)


def _tone(frequency_hz: float, count: int) -> Samples:
    phase = 2 * np.pi * frequency_hz * np.arange(count) / SAMPLE_RATE_HZ
    return np.asarray(TONE_AMPLITUDE * np.sin(phase), np.float32)


def _faded(sound: Samples) -> Samples:
    faded = sound.copy()
    ramp = np.linspace(0, 1, min(FADE_SAMPLES, len(sound) // 2), dtype=np.float32)
    faded[: len(ramp)] *= ramp
    faded[len(faded) - len(ramp) :] *= ramp[::-1]
    return faded


def _count(duration_s: float) -> int:
    return round(duration_s * SAMPLE_RATE_HZ)
