"""Takes people and places out of a report: each DID, nickname, address and user's folder has a stand-in, the same one wherever it occurs.

So who said what to whom can still be followed. What people called files, devices and machines stays, where it is none of these.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

SHORTEST_NAME: Final = 2
"""A nickname of one letter would take half of the text with it."""

_DID: Final = re.compile(r"did:key:z[1-9A-HJ-NP-Za-km-z]+")
_IPV4: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_IPV6: Final = re.compile(r"(?<![0-9A-Fa-f:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Fa-f:.])")
_NICKNAME: Final = re.compile(r'"nick(?:name)?":\s*"((?:[^"\\]|\\.)+)"')


class StandIns:
    """Of one report."""

    def __init__(self, names: Iterable[str], home: str) -> None:
        """Know names that must not be read, and the user's folder."""
        self._home = home
        self._names: dict[str, str] = {}
        self._dids: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        for name in names:
            self._learn(name)

    def learn_from(self, text: str) -> None:
        """Take nicknames from a document, in which they are named as such."""
        for found in _NICKNAME.finditer(text):
            self._learn(found[1])

    def over(self, text: str) -> str:
        """Return a text with the stand-ins."""
        if len(self._home) > 1:
            text = text.replace(self._home, "~")
        text = _DID.sub(
            lambda found: self._dids.setdefault(found[0], f"did:key:anonymous{len(self._dids) + 1}"), text
        )
        text = _IPV6.sub(lambda found: self._address(found[0]), text)
        text = _IPV4.sub(lambda found: self._address(found[0]), text)
        if self._names:
            longest_first = sorted(self._names, key=len, reverse=True)
            names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
            text = names.sub(lambda found: self._names[found[0]], text)
        return text

    def _learn(self, name: str) -> None:
        if len(name) >= SHORTEST_NAME:
            self._names.setdefault(name, f"person{len(self._names) + 1}")

    def _address(self, text: str) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return text  # a version, or a time
        if address.is_loopback or address.is_multicast or address.is_unspecified:
            return text
        number = len(self._addresses) + 1
        kind = "link-local" if address.is_link_local else "private" if address.is_private else "public"
        return self._addresses.setdefault(text, f"[{kind} address {number}]")
