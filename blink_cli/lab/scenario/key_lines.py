"""On which line of a TOML text a key stands, so that a mistake can be told with its place.

Only what scenarios are made of is understood: headers `[a.b]` and `[[a]]`, and `key = value`. What stands inside an inline table is told by the
line of the key that holds it.
"""

import re
from typing import Final

_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\-\"' ]+?)\s*\]\]?")
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_\-.\"']+)\s*=")


def line_of(text: str, key: str) -> int | None:
    """Return the line, from 1, of a key such as `step[2].at` (counted from 1) or of the nearest one that holds it; None if there is none."""
    places = _places(text)
    while key:
        if key in places:
            return places[key]
        key = re.sub(r"(\.[^.\[]+|\[\d+\]|^[^.\[]+)$", "", key)
    return None


def _places(text: str) -> dict[str, int]:
    places: dict[str, int] = {}
    counts: dict[str, int] = {}
    within = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header is not None:
            name = _plain(header[2])
            if header[1] == "[[":
                counts[name] = counts.get(name, 0) + 1
                within = f"{name}[{counts[name]}]"
            else:
                first, _, rest = name.partition(".")
                within = f"{first}[{counts[first]}].{rest}" if first in counts and rest else name
            places.setdefault(name, number)
            places[within] = number
            continue
        key = _KEY.match(line)
        if key is not None:
            places.setdefault(f"{within}.{_plain(key[1])}" if within else _plain(key[1]), number)
    return places


def _plain(name: str) -> str:
    return re.sub(r"[\"' ]", "", name)
