"""The pages of docs/ as a whole: each is in the site's contents, and every link between them leads somewhere. Sphinx says the same, in 20 s (`scripts/docs`)."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_clock

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}

_CONTENTS = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def listed(text: str) -> list[str]:
    """The pages that a page's contents name."""
    return [
        f"{line}.md"
        for contents in _CONTENTS.findall(text)
        for line in contents.splitlines()
        if line and not line.startswith(":")
    ]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and MyST make them."""
    plain = _FENCED.sub("", text)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        .strip()
        .replace(" ", "-")
        for heading in _HEADING.findall(plain)
    }


def broken(name: str, text: str) -> list[str]:
    """The links of a page that lead nowhere."""
    prose = _CODE.sub("", _FENCED.sub("", text))
    wrong = []
    for link in _LINK.findall(prose):
        if "://" in link or link.startswith("mailto:"):
            continue
        target, _, anchor = link.partition("#")
        path = (DOCS / (target or name)).resolve()
        if not path.exists() or (
            anchor and path.suffix == ".md" and anchor not in anchors(path.read_text(encoding="utf-8"))
        ):
            wrong.append(link)
    return wrong


def test_every_page_is_once_in_the_contents() -> None:
    named = listed(PAGES["index.md"])
    assert len(named) == len(set(named))
    assert {*named, "index.md"} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    assert broken(name, PAGES[name]) == []


def test_what_is_broken_is_found() -> None:
    text = "# A page\n\n[here](#a-page) [gone](#nowhere) [no page](none.md) [page](lab.md#before-and-after) [gone too](lab.md#never)\n"
    assert broken("lab.md", "[here](#before-and-after)") == []
    assert broken("index.md", text) == ["#a-page", "#nowhere", "none.md", "lab.md#never"]
    assert listed("```{toctree}\n:hidden:\n\none\ntwo\n```\n") == ["one.md", "two.md"]
