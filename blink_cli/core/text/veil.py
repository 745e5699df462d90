"""Takes secrets out of text that others may read: logs, traces, bug reports. What goes is replaced by `veiled`.

Two nets: what looks like a secret, and the secrets that are known by their words.
"""

import re
from collections.abc import Iterable
from typing import Final

VEILED: Final = "veiled"

SHORTEST: Final = 4
"""A secret of fewer characters is not looked for by its words: it would take half of the text with it."""

_NAMED: Final = r"\b(?:credential|secret|api_?secret|admin_key|token|password|passwd|passphrase|BLINK_PASSPHRASE)\\?[\"']?\s*[=:]\s*"

_LOOKS_SECRET: Final = (
    # SDP (RFC 8839, section 5.4; RFC 4568, section 9.1).
    (re.compile(r"(ice-pwd:)\S+"), rf"\g<1>{VEILED}"),
    (re.compile(r"(inline:)[A-Za-z0-9+/=]+"), rf"\g<1>{VEILED}"),
    # A server's URL with its user's name and credential.
    (re.compile(r"\b(turns?:)[^@\s\"'/?]+@"), rf"\g<1>{VEILED}@"),
    (
        re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL),
        VEILED,
    ),
    # In settings, JSON (inside of a text of JSON, too) and environments.
    (re.compile(rf"({_NAMED}\\?\")[^\"\\]+", re.IGNORECASE), rf"\g<1>{VEILED}"),
    (re.compile(rf"({_NAMED}')[^']+", re.IGNORECASE), rf"\g<1>{VEILED}"),
    (
        re.compile(rf"({_NAMED})(?!null\b|none\b)[^\s\"'\\,;)\]}}]+", re.IGNORECASE),
        rf"\g<1>{VEILED}",
    ),
)


class Veil:
    """Knows some secrets by their words. Any thread."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Learn secrets: passphrases, credentials."""
        # The longest first: one may be part of another.
        words = sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, words))) if words else None

    def over(self, text: str) -> str:
        """Return a text without the secrets in it."""
        if self._known is not None:
            text = self._known.sub(VEILED, text)
        for pattern, instead in _LOOKS_SECRET:
            text = pattern.sub(instead, text)
        return text
