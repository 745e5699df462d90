"""One case of a scenario: everything decided, nothing left to look up. Values that travel between processes."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from typing_extensions import override

from blink_cli.core.expectation.expectation import Expectation
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.lab.scenario.document import Deed

LONGEST_S: Final = 3600.0
MOST_CASES: Final = 1000
"""Of one scenario."""

USUAL_CAMERA: Final = "testsrc?size=320x240&fps=15"

SoundKind = Literal["voice", "tone", "silence", "file"]


@dataclass(frozen=True, slots=True)
class Sound:
    """What a microphone hears."""

    kind: SoundKind
    index: int = 0
    """Of a voice."""

    frequency_hz: float = 0.0
    path: Path = Path()

    @override
    def __str__(self) -> str:
        match self.kind:
            case "voice":
                return VOICES[self.index]
            case "tone":
                return f"tone:{self.frequency_hz:g}"
            case "silence":
                return "silence"
            case "file":
                return str(self.path)


VOICES: Final = ("middle", "low", "high")
"""Of the laboratory's recording (`lab/voices.py`), in its order."""

SILENCE: Final = Sound("silence")


def sound_named(text: str, folder: Path) -> Sound:
    """What these words name: a voice, `silence`, `tone:HZ`, or a file, `file:` before it or not, seen from `folder`.

    Raises:
        ValueError: It begins like a tone and has no frequency.
        FileNotFoundError: There is no such file.

    """
    if text in VOICES:
        return Sound("voice", VOICES.index(text))
    if text == "silence":
        return SILENCE
    if text.startswith("tone:"):
        return Sound("tone", frequency_hz=float(text.removeprefix("tone:")))
    path = folder / text.removeprefix("file:")
    if not path.is_file():
        raise FileNotFoundError(path)
    return Sound("file", path=path)


@dataclass(frozen=True, slots=True)
class Action:
    """Somebody does something."""

    at_s: float
    who: str
    do: Deed
    sound: Sound = SILENCE
    """Of `speak` and `set-input`."""

    lasts_s: float | None = None
    """Of `speak`; None: until the sound ends."""

    camera: str = ""
    """Of `set-camera`."""


@dataclass(frozen=True, slots=True)
class LineChange:
    """From a moment on, one direction between two is so."""

    at_s: float
    speaker: str
    listener: str
    conditions: Conditions
    text: str
    """The conditions as words."""


@dataclass(frozen=True, slots=True)
class Place:
    """A machine that is reached by ssh."""

    host: str
    """As `ssh` takes it; never begins with `-`."""

    program: tuple[str, ...]
    """The words that run `blink` there."""


@dataclass(frozen=True, slots=True)
class Person:
    """A participant."""

    name: str
    voice: Sound
    codec: CodecSettings
    turn: tuple[int, float] | None
    """Which turn is its own, and how long turns are; None: it speaks all the time, or as its steps say."""

    scripted: bool
    """Whether it speaks in `speak` steps alone."""

    camera: str = USUAL_CAMERA
    """What its camera shows."""

    place: Place | None = None
    """Where it runs, of the real engine; None: on this machine."""

    serve_options: tuple[str, ...] = ()
    """Of `blink serve`, of the real engine."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is run once."""

    scenario: str
    label: str
    """What tells it from the scenario's other cases, such as `loss5, seed 2`; empty if it is the only one."""

    about: str
    seed: int
    duration_s: float
    people: tuple[Person, ...]
    actions: tuple[Action, ...]
    """In the order of their moments. Everybody has one `join`, at least."""

    lines: tuple[LineChange, ...]
    """In the order of their moments; a line of which nothing is said is perfect."""

    expectations: tuple[Expectation, ...]

    @property
    def name(self) -> str:
        """Of the case, for people and reports."""
        return f"{self.scenario} [{self.label}]" if self.label else self.scenario

    @property
    def file_name(self) -> str:
        """The same, fit for a folder."""
        kept = "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in self.name)
        return "-".join(filter(None, kept.split("-")))

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every speaker with every listener."""
        names = [person.name for person in self.people]
        return tuple((one, other) for one in names for other in names if one != other)

    def shows(self, name: str) -> bool:
        """Whether somebody turns its camera on."""
        return any(action.who == name and action.do == "camera-on" for action in self.actions)

    def cameras_of(self, name: str) -> tuple[str, ...]:
        """Return the cameras that somebody shows or might show; none of who turns none on."""
        if not self.shows(name):
            return ()
        first = next(person.camera for person in self.people if person.name == name)
        later = (action.camera for action in self.actions if action.who == name and action.do == "set-camera")
        return (first, *later)

    def with_seed(self, seed: int) -> "Case":
        """The same with other chances."""
        return dataclasses.replace(self, seed=seed)
