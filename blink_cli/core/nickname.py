"""Nicknames: what somebody calls itself is a claim from a stranger, shown only after it was made harmless."""

from typing import Final
from unicodedata import normalize

MAX_NICKNAME_CHARS: Final = 64


def harmless_nickname(claim: str) -> str:
    """The claim without what could fool a reader or a terminal: control and formatting characters, line ends, excess spaces.

    At most 64 characters, composed (NFC), possibly empty. A claim that is a DID comes out empty: it names somebody else.
    """
    kept = "".join(letter if letter.isprintable() else " " for letter in normalize("NFC", claim[:1_024]))
    name = " ".join(kept.split())[:MAX_NICKNAME_CHARS].rstrip()
    return "" if name.startswith("did:") else name
