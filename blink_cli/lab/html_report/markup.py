"""Elements of HTML and SVG, built as trees, so that no text can be taken for markup."""

import unicodedata
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

Node = ET.Element


def element(tag: str, *children: "Node | str | None", **attributes: "str | float | bool | None") -> Node:
    """Return an element.

    Args:
        tag: Its name.
        children: Elements and texts, in order; None is left out.
        attributes: `class_` is `class`, `stroke_width` is `stroke-width`. None and False are left out, True is an attribute without a value.

    """
    made = ET.Element(tag)
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        key = name.rstrip("_").replace("_", "-")
        made.set(key, "" if value is True else number(value) if not isinstance(value, str) else _clean(value))
    return added(made, children)


def added(parent: Node, children: "Iterable[Node | str | None]") -> Node:
    """Add children to an element, and return it."""
    for child in children:
        if child is None:
            continue
        if not isinstance(child, str):
            parent.append(child)
        elif len(parent):
            parent[-1].tail = (parent[-1].tail or "") + _clean(child)
        else:
            parent.text = (parent.text or "") + _clean(child)
    return parent


def table_of(
    words: Sequence[str], figures: Sequence[str], rows: Iterable[Node], class_: str | None = None
) -> Node:
    """Return a table that may be wider than the page.

    Args:
        words: Headings of the columns of words, which come first.
        figures: Headings of those of figures, which stand to the right.
        rows: One `tr` each.
        class_: Of the table.

    """
    headings = [element("th", title, scope="col") for title in words]
    headings += [element("th", title, scope="col", class_="figure") for title in figures]
    return element(
        "div",
        element(
            "table",
            element("thead", element("tr", *headings)),
            element("tbody", *rows),
            class_=class_,
        ),
        class_="scroll",
    )


def document(root: Node) -> bytes:
    """Return the bytes of a page, UTF-8."""
    return b"<!doctype html>\n" + bytes(ET.tostring(root, encoding="utf-8", method="html")) + b"\n"


def number(value: float) -> str:
    """Return a number for a coordinate: two digits behind the point at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0" if "." in f"{value:.2f}" else str(value)


def _clean(text: str) -> str:
    """Replace what HTML cannot hold: control characters and halves of pairs."""
    if text.isprintable():
        return text
    return "".join(
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs", "Cn") else "\N{REPLACEMENT CHARACTER}"
        for c in text
    )
