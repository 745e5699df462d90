r"""A command line as it stands half typed in a shell, and words as that shell reads them back. Pure.

    blink set-input file:'my vo     is the words `blink`, `set-input` and the beginning of a third, `file:my vo`, whose last quote is open

What others chose (a file's name, a nickname) is only ever put into a command line in a form that the shell reads as this very text: nothing of
it is expanded, split or executed. Bash takes an answer as it is, so it is quoted here; zsh and fish quote by themselves.
"""

import re
from typing import Final, Literal

import msgspec

ShellName = Literal["bash", "zsh", "fish"]

BASH_BREAKS: Final = " \t\n\"'@><=;|&(:"
"""At these, where they are not quoted, bash takes a new word to begin (its COMP_WORDBREAKS): it replaces what follows the last one only."""

_BARE: Final = frozenset("%+,-./:=@_")
"""Punctuation that means nothing within a word."""

_ESCAPES: Final = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_CODES: Final = re.compile(r"[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})")


class TypedLine(msgspec.Struct, frozen=True):
    """A line up to the cursor."""

    words: tuple[str, ...]
    """Those that are finished, without their quotes."""

    last: str
    """What has been typed of the next one, without its quotes; may be empty."""

    kept: int
    """How many characters of it bash does not replace."""

    quote: str
    """What is open at the cursor: nothing, `'`, `"` or `$'`."""

    begins_at_home: bool
    """Whether the word's first character is a `~` that the shell expands."""


class _Reader:
    """Reads one line, once."""

    def __init__(self, line: str, shell: ShellName, breaks: str) -> None:
        self._line = line
        self._shell = shell
        self._breaks = breaks
        self._at = 0
        self._words: list[str] = []
        self._pieces: list[str] = []
        self._in_word = False
        self._kept = 0
        self._begins_at_home = False

    def read(self) -> TypedLine:
        """Return what it says."""
        quote = ""
        while self._at < len(self._line) and not quote:
            letter = self._line[self._at]
            self._at += 1
            if letter.isspace():
                self._finish_word()
            elif letter == "\\":
                self._in_word = True
                self._escaped()
            elif letter in "'\"":
                quote = self._quoted(letter)
            elif letter == "$" and self._shell != "fish" and self._line[self._at : self._at + 1] == "'":
                self._at += 1
                quote = self._quoted("$'")
            else:
                self._begins_at_home |= letter == "~" and not self._in_word
                self._in_word = True
                self._pieces.append(letter)
                if letter in self._breaks:
                    self._kept = self._length
        return TypedLine(tuple(self._words), "".join(self._pieces), self._kept, quote, self._begins_at_home)

    @property
    def _length(self) -> int:
        return sum(map(len, self._pieces))

    def _finish_word(self) -> None:
        if self._in_word:
            self._words.append("".join(self._pieces))
        self._pieces.clear()
        self._in_word = self._begins_at_home = False
        self._kept = 0

    def _escaped(self) -> None:
        """Read what stands behind a backslash outside of quotes."""
        letter = self._line[self._at : self._at + 1]
        if self._shell == "fish" and (letter in _ESCAPES or _CODES.match(self._line, self._at)):
            self._code()
            return
        self._at += 1
        if letter != "\n":
            self._pieces.append(letter)

    def _quoted(self, quote: str) -> str:
        """Read to the end of a quotation, and return its quote if there is none."""
        self._in_word = True
        kept_outside, self._kept = self._kept, self._length
        closing, escapable = quote[-1], self._escapable_in(quote)
        while self._at < len(self._line):
            letter = self._line[self._at]
            self._at += 1
            if letter == closing:
                self._kept = kept_outside
                return ""
            following = self._line[self._at : self._at + 1]
            if letter != "\\":
                self._pieces.append(letter)
            elif quote == "$'":
                self._code()
            elif following and following in escapable:
                self._at += 1
                self._pieces.append("" if following == "\n" else following)
            else:
                self._pieces.append(letter)
        return quote

    def _escapable_in(self, quote: str) -> str:
        if quote == "'":
            return "\\'" if self._shell == "fish" else ""
        return '$"\\\n' if self._shell == "fish" else '$`"\\\n'

    def _code(self) -> None:
        r"""Read an escape as C has it; several of bytes, `\xc3\xa9`, are one letter."""
        found = bytearray()
        while (code := _CODES.match(self._line, self._at)) is not None:
            self._at = code.end()
            in_hex, *points, octal = code.groups()
            if in_hex:
                found.append(int(in_hex, 16))
            elif octal:
                found.append(int(octal, 8) & 0xFF)
            else:
                point = int(points[0] or points[1], 16)
                found += chr(min(point, 0x10FFFF)).encode(errors="surrogatepass")
            if not self._line.startswith("\\x", self._at):
                break
            self._at += 1
        if found:
            self._pieces.append(bytes(found).decode(errors="surrogateescape"))
            return
        letter = self._line[self._at : self._at + 1]
        self._at += 1
        self._pieces.append(_ESCAPES.get(letter, letter if letter not in "xXuU" else ""))


def typed_line(line: str, shell: ShellName, breaks: str = BASH_BREAKS) -> TypedLine:
    """Read a line up to the cursor as the shell would.

    Args:
        line: As it was typed, from the command's name on.
        shell: Whose quotes they are.
        breaks: Bash's COMP_WORDBREAKS.

    """
    return _Reader(line, shell, breaks).read()


def bash_replacement(value: str, typed: TypedLine) -> str:
    """Return what bash shall put in the place of what it replaces, so that the whole word means `value`.

    Args:
        value: The whole word; begins with what bash keeps of it.
        typed: The line.

    """
    text = value[typed.kept :]
    match typed.quote:
        case "'":
            return "".join(
                f"'{_ansi(c)}'" if not c.isprintable() else "'\\''" if c == "'" else c for c in text
            )
        case '"':
            return "".join(_in_double_quotes(c) for c in text)
        case "$'":
            return "".join(map(_ansi_letter, text))
    home = ""
    if typed.begins_at_home and not typed.kept and text.startswith("~"):
        # As it was typed: what the shell makes of it is a folder, not a name.
        home, slash, text = text.partition("/")
        home += slash
    if not text.isprintable():
        return home + _ansi(text)
    return home + "".join(c if c.isalnum() or c in _BARE else f"\\{c}" for c in text)


def _in_double_quotes(letter: str) -> str:
    if not letter.isprintable():
        return f'"{_ansi(letter)}"'
    if letter == "!":
        return "\"'!'\""  # between double quotes a backslash would keep bash from its history, and stay
    return f"\\{letter}" if letter in '$`"\\' else letter


def _ansi(text: str) -> str:
    return f"$'{''.join(map(_ansi_letter, text))}'"


def _ansi_letter(letter: str) -> str:
    if letter.isalnum() or letter in _BARE or letter == " ":
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode(errors="surrogateescape"))
