"""How Sphinx makes a site of this folder: `scripts/docs`."""

import re
from typing import Any, Final

from blink_cli import __version__

project = "blink"
copyright = "the authors of blink, MIT licence"  # noqa: A001 - Sphinx reads this name
version = release = __version__
extensions = ["myst_parser"]
exclude_patterns = ["man"]
myst_heading_anchors = 6
html_theme = "furo"
html_title = f"blink {__version__}"
html_copy_source = False
nitpicky = True  # a link that leads nowhere is an error

_OUTSIDE: Final = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")


def setup(app: Any) -> None:
    """Make words of links to the source: the site has none of it."""
    app.connect("source-read", _without_links_to_the_source)


def _without_links_to_the_source(_app: Any, _page: str, text: list[str]) -> None:
    text[0] = _OUTSIDE.sub(r"\1", text[0])
