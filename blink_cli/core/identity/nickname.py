"""Names that strangers claim: made harmless before they are shown, and compared by what they look like.

    wire, DNS-SD, greetings, screen --> harmless_nickname    nothing that moves a cursor, turns text around or cannot be seen
    two names                       --> look_alike           whether a reader would take one for the other (UTS #39)

Pure, and the one authority for both.
"""

from functools import lru_cache
from typing import Final
from unicodedata import category, normalize

from blink_cli.core.identity.confusables import TABLE

MAX_NICKNAME_CHARS: Final = 64

_LINES: Final = TABLE.replace("\n", " \n")
"""What letters look like, then the letters, a space before and behind each of these."""

_KEPT_LETTERS: Final = 4096
"""Of which it is remembered what they look like."""

_JOINER: Final = "\u200d"
_EMOJI_STYLE: Final = "\ufe0f"
_TEXT_STYLE: Final = "\ufe0e"
_KEYCAP: Final = "\u20e3"

_INVISIBLE: Final = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D159, 0x1D159), (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Unicode's Default_Ignorable_Code_Point, and three that are drawn as nothing: the empty Braille pattern, interlinear annotations, the null
notehead."""

_PICTURES: Final = ((0x2190, 0x2BFF), (0x1F000, 0x1FAFF))
_SHOWN_SHORT: Final = ("did:", "z6mk", "...")
"""How DIDs, and the names of those who have none, begin where they are shown."""


@lru_cache(maxsize=1_024)
def harmless_nickname(claim: str) -> str:
    """The claim without what could fool a reader or a terminal: control, bidi and other invisible characters, line ends, excess spaces.

    At most 64 characters, composed (NFC), possibly empty. A claim that reads like a DID comes out empty: it names somebody else.
    """
    name = claim[:1_024]
    while True:
        shorter = " ".join(harmless_text(name, instead=" ").split())[:MAX_NICKNAME_CHARS].rstrip()
        if shorter == name:
            break
        name = shorter  # a cut may leave half of an emoji's sequence behind
    return "" if any(look.startswith("did:") for look in _looks(name)) else name


def harmless_text(text: str, *, instead: str) -> str:
    """The text, composed, without what cannot be seen; `instead` stands for each character that would move a cursor.

    A joiner stays between two pictures, and a variation selector behind one, so that an emoji of several stays whole.
    """
    if text.isascii() and text.isprintable():
        return text
    composed = normalize("NFC", text)
    kept: list[str] = []
    for index, letter in enumerate(composed):
        following = composed[index + 1 : index + 2]
        if letter == _JOINER:
            if _is_picture(_without_style(kept)) and _is_picture(following):
                kept.append(letter)
        elif letter in (_EMOJI_STYLE, _TEXT_STYLE):
            if kept and (category(kept[-1]) == "So" or (kept[-1] in "0123456789#*" and following == _KEYCAP)):
                kept.append(letter)
        elif not _is_invisible(letter):
            kept.append(letter if letter.isprintable() else instead)
    return normalize("NFC", "".join(kept))


def look_alike(one: str, other: str) -> bool:
    """Whether a reader may take one name for the other: letter case, spaces, and letters of other scripts that look the same aside."""
    return not looks_of(one).isdisjoint(looks_of(other))


@lru_cache(maxsize=4096)
def looks_of(name: str) -> frozenset[str]:
    """What a name looks like, as texts that can be compared: UTS #39's skeleton of it, and of it in small letters, both in small letters."""
    return frozenset(_looks(name))


def poses(name: str) -> bool:
    """Whether a name reads like what this program adds to names itself: `(you)`, `(contact)`, `(…AbCdEf)`, or like a DID's beginning."""
    plain = normalize("NFKC", name).casefold().strip()
    return "(" in plain or plain.startswith(_SHOWN_SHORT)


def _looks(name: str) -> tuple[str, str]:
    return _skeleton(name), _skeleton(name.casefold())


def _skeleton(name: str) -> str:
    letters = "".join(c for c in normalize("NFD", normalize("NFKC", name)) if not _is_invisible(c))
    mapped = normalize("NFD", "".join(_looks_like(c) for c in letters))
    return "".join(normalize("NFC", mapped).casefold().split())


@lru_cache(_KEPT_LETTERS)
def _looks_like(letter: str) -> str:
    """Found in the text of the table: a name has some letters, and to read all of it takes as long as a tenth of a start."""
    found_at = _LINES.find(f" {ord(letter):x} ")
    if found_at < 0:
        return letter
    begin = _LINES.rfind("\n", 0, found_at) + 1
    return "".join(chr(int(code, 16)) for code in _LINES[begin : _LINES.find(" ", begin)].split("+"))


def _without_style(kept: list[str]) -> str:
    """The last letter, or the one before a variation selector."""
    last = kept[-1:]
    return (kept[-2:-1] if last in ([_EMOJI_STYLE], [_TEXT_STYLE]) else last or [""])[0] if kept else ""


def _is_picture(letter: str) -> bool:
    return bool(letter) and _within(letter, _PICTURES) and category(letter) in {"So", "Sk", "Sm"}


def _is_invisible(letter: str) -> bool:
    return letter > "~" and _within(letter, _INVISIBLE)


def _within(letter: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    code = ord(letter)
    return any(low <= code <= high for low, high in ranges)
