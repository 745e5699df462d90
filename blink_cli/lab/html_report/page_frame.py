"""What every page of the laboratory is: one file that asks nobody for anything."""

from importlib import resources
from typing import Final

from blink_cli.lab.html_report.markup import Node, document, element

_POLICY: Final = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""Whatever stands in the scenario or the names that it tells of."""


def asset(name: str) -> str:
    """Return the text of a file of this folder."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def whole_page(title: str, *children: Node) -> bytes:
    """Return the bytes of a page with these in its body."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", asset("report.css")),
    )
    return document(element("html", head, element("body", *children), lang="en"))
