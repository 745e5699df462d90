r"""Paths in sentences. A path holds what it likes: line ends, escape sequences, bytes that are no text.

    /home/ann/call.csv      shown as it is
    /tmp/a<newline>b        shown as $'/tmp/a\nb', as `ls` does: nothing moves the cursor, and bash and zsh read it back

In documents (JSON) paths stand as they are; see core/text/json_text.py for what JSON cannot hold.
"""

import shlex
from typing import Final

MOST_NAME_BYTES: Final = 255
"""Of one name, on all common file systems."""

_ESCAPES: Final = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_FIRST_UNDECODABLE: Final = 0xDC80
_LAST_UNDECODABLE: Final = 0xDCFF


def shown(path: object) -> str:
    """A path (or its text, or a device that is named by one) for people: on one line, and harmless in a terminal."""
    text = str(path)
    if text.isprintable():
        return text
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{escaped(quoted)}'"


def as_word(path: object) -> str:
    """A path as one word of a command that a person may paste into a shell."""
    text = str(path)
    return shlex.quote(text) if text.isprintable() else shown(text)


def escaped(text: str) -> str:
    r"""Text with escapes in place of all that is not printable: `\n`, `\xe9`. What is printable stays, backslashes too."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def name_ending(name: str, ending: str) -> str:
    """A file's name with an ending behind it; cut before that where it would be too long for a name."""
    room = MOST_NAME_BYTES - len(ending.encode(errors="surrogateescape"))
    whole = name.encode(errors="surrogateescape")
    # A letter of up to four bytes that would be cut in two is left out.
    cuts = [whole[: room - less].decode(errors="surrogateescape") for less in range(4)]
    return next((cut for cut in cuts if name.startswith(cut)), cuts[0]) + ending


def readable(text: str) -> str:
    """Text that is no path, from a command line: what was not UTF-8 in it is U+FFFD, as where anything else reads it."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _escape(letter: str) -> str:
    code = ord(letter)
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if _FIRST_UNDECODABLE <= code <= _LAST_UNDECODABLE:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
