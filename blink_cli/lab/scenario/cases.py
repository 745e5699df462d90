"""From a `ScenarioDocument` to its cases: words become values, and the matrix becomes one case for each combination."""

import dataclasses
import itertools
import math
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from blink_cli.core.api.camera_name import FileCamera, ImageCamera, parse_camera_name
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.expectation.expectation import Expectation
from blink_cli.core.expectation.grammar import parse
from blink_cli.core.expectation.quantity import Kind, quantity
from blink_cli.core.expectation.vocabulary import Figure
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.delay_trace import DelayTrace, trace_from_text
from blink_cli.core.impairment.words import conditions_text, impairment_from_text
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.files.reading import read_whole
from blink_cli.lab.scenario.case import (
    LONGEST_S,
    MOST_CASES,
    SILENCE,
    USUAL_CAMERA,
    VOICES,
    Action,
    Case,
    LineChange,
    Person,
    Place,
    Sound,
    sound_named,
)
from blink_cli.lab.scenario.document import (
    NetworkCase,
    ParticipantEntry,
    ScenarioDocument,
    SettingsEntry,
    StepEntry,
    Time,
)
from blink_cli.lab.scenario.reading import Source, document_of

NAMES: Final = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")
"""Of those whom nobody has named."""

EVERYONE: Final = "*"
MOST_TRACE_BYTES: Final = 16 << 20

_SOUND_DEEDS: Final = ("speak", "set-input")

T = TypeVar("T")

_Choice = tuple[str, dict[str, Any]]
"""A label, and the fields of `_Combination` that it stands for."""


@dataclass(frozen=True, slots=True)
class _Combination:
    """One value of each axis of the matrix; the labels tell it from the others."""

    labels: tuple[str, ...] = ()
    network: NetworkCase | None = None
    network_key: str = ""
    participants: int | None = None
    voice: str | None = None
    settings: SettingsEntry | None = None
    settings_key: str = ""
    seed: int | None = None


def cases_of(source: Source, words: dict[str, Figure], *, seeds: int = 1) -> tuple[Case, ...]:
    """Return the cases of a scenario.

    Args:
        source: What was written.
        words: The figures that may be expected.
        seeds: So many cases of each, with the seeds that follow the one that is written.

    Raises:
        UsageError: Something in it is wrong; the sentence says where.

    """
    document = document_of(source)
    # Counted before they are made: a matrix of five lines can say a thousand million.
    if (count := math.prod(map(len, axes := _axes(source, document))) * seeds) > MOST_CASES:
        raise source.mistake(
            "matrix", f"these are {count} cases.", f"At most {MOST_CASES} may be run at once; take some out."
        )
    reader = _Reader(source, document, words)
    cases = [reader.case(one) for one in _combinations(axes)]
    if seeds > 1:
        cases = [
            dataclasses.replace(
                case,
                seed=case.seed + more,
                label=", ".join(filter(None, (case.label, f"seed {case.seed + more}"))),
            )
            for case in cases
            for more in range(seeds)
        ]
    return tuple(cases)


def _axes(source: Source, document: ScenarioDocument) -> list[list[_Choice]]:
    """The axes of the matrix that are there."""
    matrix = document.matrix
    if matrix.participants and document.participant:
        raise source.mistake(
            "matrix.participants",
            "`matrix.participants` and `participant` both say who is there.",
            "Leave one of them out.",
        )
    networks = {
        key: NetworkCase(line=one) if isinstance(one, str) else one for key, one in matrix.network.items()
    }
    axes: list[list[_Choice]] = [
        [(key, {"network": one, "network_key": key}) for key, one in networks.items()],
        [(f"{number} participants", {"participants": number}) for number in matrix.participants],
        [(f"voice {voice}", {"voice": voice}) for voice in matrix.voice],
        [(key, {"settings": entry, "settings_key": key}) for key, entry in matrix.settings.items()],
        [(f"seed {seed}", {"seed": seed}) for seed in matrix.seed],
    ]
    return [axis for axis in axes if axis]


def _combinations(axes: list[list[_Choice]]) -> Iterator[_Combination]:
    for chosen in itertools.product(*axes):
        fields: dict[str, Any] = {}
        for _, values in chosen:
            fields |= values
        yield _Combination(labels=tuple(label for label, _ in chosen), **fields)


class _Reader:
    """Reads what cases have in common once, and each case by itself."""

    def __init__(self, source: Source, document: ScenarioDocument, words: dict[str, Figure]) -> None:
        self._source = source
        self._document = document
        self._words = words
        self._duration_s = self._time("duration", document.duration)
        if not 1.0 <= self._duration_s <= LONGEST_S:
            raise source.mistake(
                "duration",
                f"`duration` is {self._duration_s:g} s.",
                f"A scenario takes 1 s to {LONGEST_S / 60:g} min.",
            )
        self._expectations = [
            self._expectation(f"expect[{number}]", text) for number, text in enumerate(document.expect, 1)
        ]

    def case(self, chosen: _Combination) -> Case:
        people = self._people(chosen)
        names = [person.name for person in people]
        expectations = list(self._expectations)
        if chosen.network is not None:
            expectations += [
                self._expectation(f"matrix.network.{chosen.network_key}.expect", text)
                for text in chosen.network.expect
            ]
        if not expectations:
            raise self._source.mistake(
                "expect", "nothing is expected.", 'Write `expect = ["pesq > 4"]` at the top.'
            )
        self._check(expectations, names)
        return Case(
            scenario=self._source.name,
            label=", ".join(chosen.labels),
            about=self._document.about,
            seed=self._document.seed if chosen.seed is None else chosen.seed,
            duration_s=self._duration_s,
            people=people,
            actions=self._actions(names),
            lines=self._lines(chosen, names),
            expectations=tuple(expectations),
        )

    # who is there

    def _people(self, chosen: _Combination) -> tuple[Person, ...]:
        document = self._document
        entries = document.participant or tuple(
            ParticipantEntry(name=name) for name in NAMES[: chosen.participants or 2]
        )
        if not 2 <= len(entries) <= len(NAMES):
            raise self._source.mistake(
                "participant",
                f"there are {len(entries)} participants.",
                f"A call of the laboratory has 2 to {len(NAMES)}.",
            )
        turn_s = self._time("turn", document.turn)
        speech = document.speech or ("together" if len(entries) == 2 else "turns")
        speakers = {step.who for step in document.step if step.do == "speak"}
        people: list[Person] = []
        for index, entry in enumerate(entries):
            key = f"participant[{index + 1}]"
            if entry.name == EVERYONE or any(entry.name == other.name for other in people):
                raise self._source.mistake(
                    f"{key}.name",
                    f"the name {entry.name!r} is not possible.",
                    "Each participant has a name of its own.",
                )
            if not _is_plain(entry.name):
                raise self._source.mistake(
                    f"{key}.name",
                    f"{entry.name!r} is no name.",
                    "Names of participants are letters, digits, `-` and `_`.",
                )
            voice = entry.voice
            voice_key = f"{key}.voice"
            if index == 0 and chosen.voice is not None:
                voice, voice_key = chosen.voice, "matrix.voice"
            settings, settings_key = entry.settings, f"{key}.settings"
            if chosen.settings is not None and settings == SettingsEntry():
                settings, settings_key = chosen.settings, f"matrix.settings.{chosen.settings_key}"
            scripted = speech == "scripted" or entry.name in speakers or EVERYONE in speakers
            people.append(
                Person(
                    name=entry.name,
                    voice=Sound("voice", index % len(VOICES))
                    if voice is None
                    else self._sound(voice_key, voice),
                    codec=self._codec(settings_key, settings),
                    turn=(index, turn_s) if speech == "turns" else None,
                    scripted=scripted,
                    camera=USUAL_CAMERA
                    if entry.camera is None
                    else self._camera(f"{key}.camera", entry.camera),
                    place=self._place(key, entry),
                    serve_options=entry.serve,
                )
            )
        return tuple(people)

    def _camera(self, key: str, text: str) -> str:
        name = self._checked(key, lambda: parse_camera_name(text))
        if isinstance(name, FileCamera | ImageCamera):
            path = self._source.folder / name.path
            if not path.is_file():
                raise self._source.mistake(
                    key, f"there is no file {name.path!r}.", "It stands beside the scenario."
                )
            name = msgspec.structs.replace(name, path=str(path))
        return str(name)

    def _place(self, key: str, entry: ParticipantEntry) -> Place | None:
        if entry.host is None:
            if entry.program is not None:
                raise self._source.mistake(
                    f"{key}.program", "a program without a `host`.", "Leave it out: here this program runs."
                )
            return None
        # What begins with a dash would be an option of ssh.
        if not entry.host.strip() or entry.host.startswith("-") or not entry.host.isprintable():
            raise self._source.mistake(
                f"{key}.host", f"{entry.host!r} is no machine.", "Write it as for `ssh`: `user@machine`."
            )
        try:
            words = shlex.split(entry.program or "blink")
        except ValueError:  # a quotation mark is not closed
            words = []
        if not words or words[0].startswith("-"):
            raise self._source.mistake(
                f"{key}.program", f"{entry.program!r} is no program.", 'Write `program = "/opt/bin/blink"`.'
            )
        return Place(entry.host, tuple(words))

    def _codec(self, key: str, entry: SettingsEntry) -> CodecSettings:
        values = {
            field: value
            for field, value in msgspec.structs.asdict(entry).items()
            if field not in ("bitrate", "redundancy_budget") and value is not None
        }
        if entry.redundancy_budget is not None:
            values["redundancy_budget_kbps"] = entry.redundancy_budget
        if entry.bitrate is not None:
            values["bitrate_bps"] = round(
                self._checked(f"{key}.bitrate", lambda: quantity(entry.bitrate or "", Kind.RATE))
            )
        return self._checked(key, lambda: CodecSettings(**values))

    def _sound(self, key: str, text: str) -> Sound:
        try:
            return sound_named(text, self._source.folder)
        except ValueError:
            raise self._source.mistake(key, f"{text!r} is no tone.", "Write `tone:440`.") from None
        except FileNotFoundError:
            raise self._source.mistake(
                key,
                f"there is no sound {text!r}.",
                f"It is {', '.join(VOICES)}, silence, tone:HZ, or a file beside the scenario.",
            ) from None

    # what happens

    def _actions(self, names: list[str]) -> tuple[Action, ...]:
        actions: list[Action] = []
        for number, step in enumerate(self._document.step, 1):
            key = f"step[{number}]"
            at_s = self._moment(f"{key}.at", step.at)
            who = names if step.who == EVERYONE else [self._name(f"{key}.who", step.who, names)]
            camera = self._camera_of_step(key, step)
            sound = SILENCE if camera else self._sound_of_step(key, step)
            lasts_s = None if step.lasts is None else self._time(f"{key}.for", step.lasts)
            actions += [Action(at_s, name, step.do, sound, lasts_s, camera) for name in who]
        for name in names:
            first = next((one for one in sorted(actions, key=_at) if one.who == name), None)
            if first is None or first.do != "join":
                # Who does not say when it comes is there from the beginning.
                actions.append(Action(0.0, name, "join"))
        return tuple(sorted(actions, key=lambda one: (one.at_s, one.do != "join")))

    def _camera_of_step(self, key: str, step: StepEntry) -> str:
        """The camera that it names; empty of a step that takes none."""
        if step.do != "set-camera":
            return ""
        if step.lasts is not None:
            raise self._source.mistake(f"{key}.for", "`for` says nothing to `set-camera`.", "Leave it out.")
        if step.what is None:
            raise self._source.mistake(
                key, "`set-camera` needs `what`.", 'Write `what = "testsrc"`, or `what = "file:PATH"`.'
            )
        return self._camera(f"{key}.what", step.what)

    def _sound_of_step(self, key: str, step: StepEntry) -> Sound:
        if step.do not in _SOUND_DEEDS:
            for name, value in (("what", step.what), ("for", step.lasts)):
                if value is not None:
                    raise self._source.mistake(
                        f"{key}.{name}", f"`{name}` says nothing to `{step.do}`.", "Leave it out."
                    )
            return SILENCE
        if step.what is None:
            raise self._source.mistake(key, f"`{step.do}` needs `what`.", 'Write `what = "low"`, or a file.')
        return self._sound(f"{key}.what", step.what)

    def _lines(self, chosen: _Combination, names: list[str]) -> tuple[LineChange, ...]:
        pairs = [(one, other) for one in names for other in names if one != other]
        changes: list[LineChange] = []
        if chosen.network is not None:
            conditions = self._conditions(f"matrix.network.{chosen.network_key}", chosen.network.line)
            changes += [LineChange(0.0, *pair, conditions, conditions_text(conditions)) for pair in pairs]
        for number, entry in enumerate(self._document.network, 1):
            key = f"network[{number}]"
            conditions = self._conditions(f"{key}.line", entry.line)
            at_s = self._moment(f"{key}.at", entry.at)
            for end, name in (("from", entry.source), ("to", entry.to)):
                if name != EVERYONE:
                    self._name(f"{key}.{end}", name, names)
            changes += [
                LineChange(at_s, one, other, conditions, conditions_text(conditions))
                for one, other in pairs
                if entry.source in (EVERYONE, one) and entry.to in (EVERYONE, other)
            ]
        return tuple(sorted(changes, key=lambda change: change.at_s))

    def _conditions(self, key: str, text: str) -> Conditions:
        impairment = self._checked(key, lambda: impairment_from_text(text, read_trace=self._trace))
        if impairment.seed is not None:
            raise self._source.mistake(
                key, "a line has no seed of its own here.", "Write `seed = 7` at the top of the scenario."
            )
        return impairment.conditions

    def _trace(self, name: str) -> DelayTrace:
        path = self._source.folder / name
        try:
            return trace_from_text(name, read_whole(path, MOST_TRACE_BYTES).decode())
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"The trace {name} cannot be read: {getattr(error, 'strerror', None) or error}.",
                hint="It stands beside the scenario.",
            ) from error

    # what is expected

    def _expectation(self, key: str, text: str) -> Expectation:
        return self._checked(key, lambda: parse(text, self._words))

    def _check(self, expectations: Iterable[Expectation], names: list[str]) -> None:
        for one in expectations:
            if (start_s := one.window.start_s or 0.0) >= self._duration_s:
                raise self._source.mistake(
                    "expect",
                    f"`{one}` begins at {start_s:g} s, and the scenario ends at {self._duration_s:g} s.",
                    "Let it last longer, or take an earlier moment.",
                )
            for name in (one.subject.speaker, one.subject.listener):
                if name is not None and name not in names:
                    raise self._source.mistake(
                        "expect",
                        f"`{one}`: there is no participant {name!r}.",
                        f"There are {', '.join(names)}.",
                    )

    # words

    def _name(self, key: str, name: str, names: list[str]) -> str:
        if name not in names:
            raise self._source.mistake(
                key, f"there is no participant {name!r}.", f"There are {', '.join(names)}, and `*` for all."
            )
        return name

    def _time(self, key: str, value: Time) -> float:
        if isinstance(value, str):
            value = self._checked(key, lambda: quantity(str(value), Kind.TIME))
        if isinstance(value, bool) or not 0 <= value < float("inf"):
            raise self._source.mistake(
                key, f"`{key}` is {value}.", 'A time is `"1.5s"`, or a number of seconds.'
            )
        return float(value)

    def _moment(self, key: str, value: Time) -> float:
        at_s = self._time(key, value)
        if at_s >= self._duration_s:
            raise self._source.mistake(
                key,
                f"`{key}` is {at_s:g} s, and the scenario ends at {self._duration_s:g} s.",
                "Let it last longer, or take an earlier moment.",
            )
        return at_s

    def _checked(self, key: str, read: Callable[[], T]) -> T:
        """Tell the mistake of a value with its place."""
        try:
            return read()
        except BlinkError as error:
            raise self._source.mistake(key, error.message, error.hint) from error


def _at(action: Action) -> float:
    return action.at_s


def _is_plain(name: str) -> bool:
    return all(letter.isalnum() or letter in "-_" for letter in name) and Path(name).name == name
