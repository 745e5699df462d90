"""The screen of `watch`, for so many rows and columns. Pure: what is known in, lines out.

alice  did:key:z6Mk…                              4:05     who this is, and how long the call lasts
in call c0ffee00  6 of 6 there                             the panel: who is there
> * bob   connected  ###|..  good  lost 3  delay 61 ms
  …
peer    rtt     recv  lost …                               the figures, in the same order, or the mesh
12:00:01  bob joined                                       what happened, the newest last
q quits  ? help  m mutes …
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from blink_cli.commands.call_readings import CallFigures, CallReadings
from blink_cli.commands.show.cells import ELLIPSIS, cells, cut
from blink_cli.commands.show.chart import clock
from blink_cli.commands.show.glyphs import BRAILLE, Glyphs
from blink_cli.commands.show.layout import (
    Cell,
    Column,
    Table,
    fitted,
    no_more_than,
    rows_that_fit,
    unfolded,
)
from blink_cli.commands.show.mesh_table import mesh_table
from blink_cli.commands.show.panel import TRENDS, heading_lines, names_of, participants_laid, pending_lines
from blink_cli.commands.show.styled import Line, Room, Span, line, plain, wrapped_lines
from blink_cli.commands.show.tables import statistics_table
from blink_cli.commands.show.trend_table import trend_table
from blink_cli.core.api.replies.calls import Participant
from blink_cli.core.api.replies.statistics import RtpStatistics
from blink_cli.core.api.replies.status import Status
from blink_cli.core.identity.shown_name import printable, short_did, shown_name
from blink_cli.core.ids import Did

LEAST_FIGURES: Final = 3
"""Rows below which figures are left out: their heading, one peer, and who is not shown."""

LEAST_EVENTS: Final = 3
"""Rows that what happened gets before there is space between the parts."""

SHARE_OF_EVENTS: Final = 10
"""Rows of what happened, before figures take more than one row for each peer."""

SHARE_OF_HEADING: Final = 3
"""Of a small screen's rows one in so many: without those who are there it would say little."""

KEYS: Final = (
    ("q", "quits"),
    ("?", "help"),
    ("m", "mutes you"),
    ("+ -", "volume"),
    ("r", "records"),
    ("n", "marks"),
    ("Tab", "more"),
)
"""In one line; what stands behind has no room first."""

HELP: Final = (
    ("q", "end watching (also Ctrl-C); the call goes on"),
    ("m", "mute your microphone, or send it again"),
    ("d", "deafen yourself, or hear again"),
    ("Up Down", "select a participant (also k and j)"),
    ("+ - 0", "play that one louder, softer, as it comes"),
    ("s", "silence that one here, or play it again"),
    ("r", "record into this directory, or end it"),
    ("n", "mark this moment, with a text"),
    ("a x", "accept, reject the call that rings"),
    ("v", "hide what others show, or see it again"),
    ("Tab", "other figures first; the mesh is one of them"),
    ("Ctrl-L", "draw the screen anew"),
    ("Ctrl-Z", "stop; `fg` goes on"),
)

ANSWERS: Final = "a accepts, x rejects"


class Part(Enum):
    """What can stand below the panel, in this order; the chosen one comes first, and as many as there is room for."""

    TRENDS = auto()
    FIGURES = auto()
    MESH = auto()


@dataclass(slots=True)
class Watching:
    """What the keys of `watch` chose to show."""

    selected: Did | None = None
    first: Part | None = None
    """None: nobody chose."""

    helps: bool = False
    label: str | None = None
    """Of a mark, while it is typed."""

    def selected_of(self, people: Sequence[Participant]) -> Did | None:
        """Who is selected: the first other one where nobody was, or who was is no more."""
        if any(one.did == self.selected for one in people):
            return self.selected
        return next((one.did for one in people if not one.self), people[0].did if people else None)


NOTHING_CHOSEN: Final = Watching()


def screen_of(
    status: Status,
    readings: CallReadings,
    sentences: Iterable[str],
    where: Room,
    *,
    watching: Watching = NOTHING_CHOSEN,
    lasted_s: float | None = None,
    glyphs: Glyphs = BRAILLE,
) -> list[Line]:
    """Return the whole screen: who is there, the figures, and as many of the newest sentences as fit.

    Args:
        status: The newest snapshot.
        readings: The newest figures.
        sentences: What happened, the oldest first.
        where: The terminal; no more lines than it has rows are returned.
        watching: What was chosen to be shown.
        lasted_s: How long the call has lasted.
        glyphs: What bars and sparklines are drawn with.

    """
    columns, rows, _ = where
    if watching.helps:
        return help_lines(where)
    heading = heading_lines(status, columns)[: max(rows // SHARE_OF_HEADING, 2)]
    lines = [*heading, *pending_lines(status, columns, ANSWERS)]
    if rows < 2 + len(lines):
        return no_more_than(rows, lines, columns)
    room = rows - len(lines) - 1
    people: list[Line] = []
    lower: list[Line] = []
    scrolled = 0
    notes: list[str] = []
    if status.call is not None:
        selected = watching.selected_of(status.call.participants)
        places = [one.did for one in status.call.participants]
        if len(places) > room and selected is not None:
            # The one that is selected is always in sight; the last row says who is not.
            scrolled = max(places.index(selected) - max(room - 2, 0), 0)
        laid = participants_laid(status, readings, Room(columns, room, scrolled), glyphs, selected)
        people = rows_that_fit(laid, names_of(status, scrolled), room, columns)
        room -= len(people)
        notes += [f"{scrolled} above"] if scrolled else []
        beside = () if set(TRENDS) & set(laid.dropped) else (Part.TRENDS,)
        lower = _lower(
            readings.figures, watching.first, Room(columns, room, max(scrolled - 1, 0)), glyphs, beside
        )
        statistics = readings.figures.statistics
        if not lower and statistics is not None and statistics.peers:
            notes.append("no room for figures")
        room -= len(lower)
    title: list[Line] = [_title(status, lasted_s, columns)] if room > 0 else []
    room -= len(title)
    gaps = [line("")] if room > LEAST_EVENTS else []
    room -= len(gaps)
    newest = _newest(sentences, room, columns)
    filled = [line("")] * (room - len(newest))
    last = _last(watching, notes, columns)
    return [*title, *lines, *people, *lower, *gaps, *newest, *filled, last]


def _newest(sentences: Iterable[str], rows: int, columns: int) -> list[Line]:
    """As many of the newest sentences as fit whole; of the newest, where it alone does not, the beginning."""
    newest: list[Line] = []
    for sentence in reversed(list(sentences)[-max(rows, 1) :]):
        told = wrapped_lines(sentence, columns, hang=10)
        if len(newest) + len(told) > rows:
            if not newest and rows > 0:
                newest = [*told[: rows - 1], line(cut(f"{plain(told[rows - 1])} {ELLIPSIS}", columns))]
            break
        newest = told + newest
    return newest


def help_lines(where: Room) -> list[Line]:
    """Return what the keys do, and that any key ends it."""
    rows = tuple((Cell(keys, "bold"), Cell(text)) for keys, text in HELP)
    table = Table((Column("key"), Column("does", "words")), rows, headed=False)
    shown = no_more_than(max(where.rows - 1, 0), fitted(table, where.columns).lines, where.columns)
    filled = [line("")] * (where.rows - 1 - len(shown))
    return [*shown, *filled, line(cut("any key goes back", where.columns), "dim")]


def figure_lines(statistics: RtpStatistics, where: Room) -> list[Line]:
    """Return the figures of everybody: all of them where there is room, else the ones that matter most."""
    peers = statistics.peers[min(where.scrolled, max(len(statistics.peers) - 1, 0)) :]
    names = [shown_name(peer.nickname, peer.did) for peer in peers]
    return _table_lines(statistics_table(peers), names, where)


@lru_cache(maxsize=2)
def _lower(
    figures: CallFigures, first: Part | None, where: Room, glyphs: Glyphs, left_out: Sequence[Part]
) -> list[Line]:
    """As many parts as there is room for, each with a blank line in front where that fits too; the first of them in any case, as much of it as fits.

    Bars move several times a second, and figures twice: what was made of the same ones is kept. Nobody may change it.
    """
    statistics = figures.statistics
    peers = () if statistics is None else statistics.peers[where.scrolled :]
    tables: dict[Part, tuple[Table, list[str]]] = {}
    names = [shown_name(peer.nickname, peer.did) for peer in peers]
    if peers:
        tables[Part.TRENDS] = trend_table(peers, figures.trends, glyphs), names
        tables[Part.FIGURES] = statistics_table(peers), names
    if figures.mesh is not None:
        people = [shown_name(person.nickname, person.did) for person in figures.mesh.participants]
        tables[Part.MESH] = mesh_table(figures.mesh), people
    order = sorted(Part, key=lambda part: part is not first)
    lines: list[Line] = []
    room = where.rows
    for part in order:
        if part not in tables or (part in left_out and part is not first):
            continue
        table, rows = tables[part]
        if not lines:
            # What happened gets its share before figures take more than one row for each peer.
            least = len(rows) + 1 + (room > len(rows) + 2 + LEAST_EVENTS)
            gap = room > len(rows) + 2 + LEAST_EVENTS
            share = max(min(room, least), room - SHARE_OF_EVENTS) - gap
            found = _table_lines(table, rows, Room(where.columns, share)) if room >= LEAST_FIGURES else []
        else:
            gap = True
            found = unfolded(table, where.columns)
            if len(found) + 1 > room - SHARE_OF_EVENTS // 2:
                found = fitted(table, where.columns).lines
            if len(found) + 1 > room - SHARE_OF_EVENTS // 2:
                continue
        if found:
            lines += [*([line("")] if gap else []), *found]
            room = where.rows - len(lines)
    return lines


def _table_lines(table: Table, names: Sequence[str], where: Room) -> list[Line]:
    if len(everything := unfolded(table, where.columns)) <= where.rows:
        return everything
    laid = fitted(table, where.columns)
    lines = rows_that_fit(laid, names, where.rows, where.columns)
    if laid.dropped and len(lines) < where.rows:
        lines.append(line(cut(f"not shown: {', '.join(laid.dropped)}", where.columns), "dim"))
    return lines


def _last(watching: Watching, notes: Sequence[str], columns: int) -> Line:
    """What is typed, or what the keys do."""
    if watching.label is not None:
        label, head = printable(watching.label), "mark: "
        while label and cells(head) + cells(label) + 1 > columns:
            label = label[1:]  # what was typed last is in sight
        hint = "  Enter marks, Escape does not"
        hint = hint if cells(head) + cells(label) + 1 + cells(hint) <= columns else ""
        return (
            Span(cut(head, columns), "bold"),
            Span(label),
            Span("_" if columns > cells(head) else ""),
            Span(hint, "dim"),
        )
    spans: list[Span] = []
    room = columns
    for words in (*KEYS[:2], *(("", note) for note in notes), *KEYS[2:]):
        key, text = words
        width = cells(key) + cells(text) + (1 if key else 0) + (2 if spans else 0)
        if width > room:
            break
        spans += [Span("  ")] if spans else []
        spans += [Span(key, "bold"), Span(" ")] if key else []
        spans.append(Span(text, "dim"))
        room -= width
    return tuple(spans)


def _title(status: Status, lasted_s: float | None, columns: int) -> Line:
    lasted = "" if lasted_s is None else clock(lasted_s)
    for did in (status.did, short_did(status.did)):
        text = f"{printable(status.nickname)}  {did}"
        for behind in (lasted, ""):
            room = columns - cells(text) - (cells(behind) + 2 if behind else 0)
            if room >= 0:
                return (Span(text, "bold"), Span(" " * (room + 2) if behind else ""), Span(behind, "dim"))
    return line(cut(printable(status.nickname), columns), "bold")
