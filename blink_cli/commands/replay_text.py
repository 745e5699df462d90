"""What `lab replay` says."""

from collections.abc import Callable, Iterator
from typing import Final

from blink_cli.commands.names_shown import counted, duration_text, short_call
from blink_cli.core.identity.shown_name import printable, short_did
from blink_cli.core.text.path_text import shown
from blink_cli.lab.replay.figures import PlayoutFigures, ReplayedPeer, ReplayFigures

_WIDTH: Final = 14

_FIGURES: Final[tuple[tuple[str, Callable[[PlayoutFigures], str]], ...]] = (
    ("made up", lambda f: "-" if f.concealed_share is None else f"{100 * f.concealed_share:.2f} %"),
    ("in events", lambda f: str(f.concealment_events)),
    ("left out", lambda f: f"{f.skipped_ms:.0f} ms"),
    ("delay", lambda f: "-" if f.mean_delay_ms is None else f"{f.mean_delay_ms:.1f} ms"),
    ("target", lambda f: "-" if f.mean_target_ms is None else f"{f.mean_target_ms:.1f} ms"),
    ("shortened", lambda f: f"{f.shortened_ms:.0f} ms"),
    ("lengthened", lambda f: f"{f.lengthened_ms:.0f} ms"),
    ("too late", lambda f: str(f.packets_discarded)),
    ("recovered", lambda f: str(f.recovered)),
)


def replay_lines(found: ReplayFigures) -> Iterator[str]:
    """Return the lines of a whole replay."""
    yield f"{shown(found.path)}: call {printable(short_call(found.call))}, {duration_text(found.duration_s)}"
    yield _sameness(found)
    if not found.is_whole:
        yield _missing(found)
    for speaker in found.speakers:
        yield (
            f"speaker {shown(speaker.name)}: {speaker.ticks_same} of {counted(speaker.ticks, 'tick')} the same"
            + _in(speaker.wav)
        )
    for peer in found.peers:
        yield ""
        yield from _peer_lines(peer)
    if found.changed_settings is not None:
        yield ""
        changed = {
            name: value for name, value in found.changed_settings.items() if found.settings.get(name) != value
        }
        words = ", ".join(f"{name.replace('_', '-')}={value:g}" for name, value in changed.items())
        yield f"changed: {words or 'nothing'}. What the sender would have done otherwise by other reports is not in it."


def _sameness(found: ReplayFigures) -> str:
    if found.is_same:
        return "every tick is the very samples that were heard"
    if found.opus != found.opus_here:
        return f"not the samples that were heard: decoded with {printable(found.opus_here)} here, with {printable(found.opus)} then"
    return "not all of the samples that were heard"


def _missing(found: ReplayFigures) -> str:
    parts = [
        f"{counted(found.ticks_lost, 'tick')} missing" if found.ticks_lost else "",
        f"{counted(found.lines_unreadable, 'line')} unreadable" if found.lines_unreadable else "",
    ]
    told = ", ".join(part for part in parts if part) or "it has no end"
    return f"the log is not whole: {told}"


def _peer_lines(peer: ReplayedPeer) -> Iterator[str]:
    late = "" if peer.from_beginning else "; it began before the log, with an empty buffer here"
    yield (
        f"{printable(short_did(peer.peer))}: {peer.ticks_same} of {counted(peer.ticks, 'tick')} the same{late}"
        + _in(peer.wav)
    )
    if peer.changed is not None:
        yield f"  {'':<{_WIDTH}}{'heard':>12}{'changed':>12}"
    for label, text in _FIGURES:
        changed = "" if peer.changed is None else f"{text(peer.changed):>12}"
        yield f"  {label:<{_WIDTH}}{text(peer.heard):>12}{changed}"


def _in(path: str | None) -> str:
    return "" if path is None else f", in {shown(path)}"
