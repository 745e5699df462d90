"""Lines as a terminal takes them: looks become colours, and clusters whose width is in dispute are drawn where they belong.

A terminal that gives a flag four cells where two are meant for it would shift the rest of the line, and so would a library that counts so. Such a
cluster is therefore drawn apart: its cells are made blank, the cursor's place is saved, the cluster is drawn from their beginning, and the place is
restored. Whatever the terminal thinks of the cluster, what follows stands in its column.

    name of bob  ->  `anna ` + two blanks + ESC 7, two to the left, the flag, ESC 8 + ` connected`
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from blink_cli.commands.show.cells import cells, cells_of_cluster, clusters, is_settled
from blink_cli.commands.show.styled import Line, Span, plain

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

LOOKS: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
"""What a style may say, and the parameter of `ESC [ m` that does it (ECMA-48, 8.3.117)."""

_IN_PROMPT: Final = {
    "bold": "bold",
    "dim": "dim",
    "red": "fg:ansired",
    "green": "fg:ansigreen",
    "yellow": "fg:ansiyellow",
}
_BLANK_THAT_COUNTS: Final = "fg:ansigreen"
"""prompt_toolkit leaves out blanks at the end of a line, and what is to be written there with them, but for blanks that have a colour."""

_SAVE: Final = "\x1b7"
_RESTORE: Final = "\x1b8"
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
"""At the right edge, what a terminal draws wider than meant stays on its line. prompt_toolkit sees to it by itself."""


class _Piece(NamedTuple):
    """Part of a line, of one look."""

    style: str
    text: str
    columns: int = 0
    """Cells of text whose width is in dispute; 0: it is settled, and stands as it is."""

    blank: int = 0
    """Blanks behind it that belong to it: there a terminal may draw what it makes wider than meant."""


def as_text(lines: Iterable[Line]) -> str:
    """Return lines for a file or a pipe."""
    return "\n".join(plain(one) for one in lines)


def for_terminal(lines: Iterable[Line], *, color: bool) -> str:
    """Return lines as they are written to a terminal.

    Args:
        lines: What to show.
        color: Whether looks are shown.

    """
    return "\n".join("".join(_painted(piece, color=color) for piece in _pieces(one)) for one in lines)


def for_prompt(lines: Iterable[Line]) -> "StyleAndTextTuples":
    """Return lines as prompt_toolkit draws them; colours are its own business."""
    fragments: StyleAndTextTuples = []
    for number, one in enumerate(lines):
        if number:
            fragments.append(("", "\n"))
        fragments += _fragments(one)
    return fragments


def _painted(piece: _Piece, *, color: bool) -> str:
    text = piece.text
    if piece.columns:
        text = f"{' ' * (piece.columns + piece.blank)}{_NO_WRAP}{_apart(piece)}{_WRAP}"
    codes = ";".join(LOOKS[word] for word in piece.style.split())
    return f"\x1b[{codes}m{text}\x1b[0m" if color and codes and piece.text.strip() else text


def _fragments(one: Line) -> Iterator[tuple[str, str]]:
    # A cell is drawn again only when its letter or style is another, and a cluster only with the cell behind it: this class, which looks like
    # nothing, is another whenever a cluster of this line, or its look, is.
    pieces = list(_pieces(one))
    disputed = "".join(f"{piece.style}{piece.text}" for piece in pieces if piece.columns)
    mark = f" class:apart-{disputed.encode().hex()}" if disputed else ""
    owed = ""
    for piece in pieces:
        style = " ".join(_IN_PROMPT[word] for word in piece.style.split()) + mark
        if owed:
            yield ("[ZeroWidthEscape]", owed)
        owed = _apart(piece) if piece.columns else ""
        yield (style, " " * (piece.columns + piece.blank) if piece.columns else piece.text)
    if owed:
        yield ("[ZeroWidthEscape]", owed)
        yield (_BLANK_THAT_COUNTS + mark, " ")


def _pieces(one: Line) -> Iterator[_Piece]:
    """The line in pieces; blanks behind a disputed one are its own as far as it may need them."""
    waiting: _Piece | None = None
    for span in one:
        for piece in _split(span):
            following = piece
            if waiting is not None:
                blanks = len(piece.text) - len(piece.text.lstrip(" "))
                taken = 0 if piece.columns else min(blanks, _widest(waiting.text) - waiting.columns)
                yield waiting._replace(blank=taken)
                following = piece._replace(text=piece.text[taken:])
            waiting = following if following.columns else None
            if waiting is None and following.text:
                yield following
    if waiting is not None:
        yield waiting


def _split(span: Span) -> Iterator[_Piece]:
    """What is settled, and what is not."""
    if span.text.isascii():
        if span.text:
            yield _Piece(span.style, span.text)
        return
    text, settled = "", True
    for cluster in clusters(span.text):
        if not cells_of_cluster(cluster):
            continue  # an accent, or a selector, of nothing: it would change what stands before it
        if is_settled(cluster) != settled and text:
            yield _Piece(span.style, text, 0 if settled else cells(text))
            text = ""
        settled = is_settled(cluster)
        text += cluster
    if text:
        yield _Piece(span.style, text, 0 if settled else cells(text))


def _widest(text: str) -> int:
    """What a terminal takes that knows of code points alone."""
    return max(cells(text), sum(cells_of_cluster(letter) for letter in text))


def _apart(piece: _Piece) -> str:
    return f"{_SAVE}\x1b[{piece.columns + piece.blank}D{piece.text}{_RESTORE}"
