"""One measure of text: what is cut or broken fits, and loses nothing that it should not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.commands.show.cells import cells, clusters, cut, folded, is_settled, wrapped
from tests.commands.show.names import DISPUTED, SETTLED, names

pytestmark = pytest.mark.no_clock

WIDTHS = st.integers(1, 60)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("anna", 4),
        ("漢字", 4),
        ("e\u0301", 1),
        ("🇩🇪", 2),
        ("👍🏽", 2),
        ("❤️", 2),
        ("👨‍👩‍👧", 2),
        ("1️⃣", 2),
        ("", 0),
    ],
)
def test_a_cluster_is_as_wide_as_it_is_drawn(text: str, width: int) -> None:
    assert cells(text) == width


def test_what_is_disputed_is_known() -> None:
    assert all(is_settled(cluster) for name in SETTLED for cluster in clusters(name))
    assert not any(is_settled(cluster) for name in DISPUTED[:9] for cluster in clusters(name))


@given(name=names, columns=WIDTHS)
def test_a_cut_name_fits_and_says_that_it_is_cut(name: str, columns: int) -> None:
    shown = cut(name, columns)
    assert cells(shown) <= columns
    assert shown == name if cells(name) <= columns else shown.endswith("…")
    assert name.startswith(shown.removesuffix("…").rstrip())


@given(words=st.lists(names, min_size=1, max_size=12), columns=WIDTHS, hang=st.integers(0, 8))
def test_a_line_is_broken_between_words_only(words: list[str], columns: int, hang: int) -> None:
    text = " ".join(words)
    lines = wrapped(text, columns, hang=hang)
    assert " ".join(lines).split() == text.split()
    longest = max(map(cells, text.split()), default=0) + columns // 3
    assert all(cells(line.rstrip()) <= max(columns, longest) for line in lines)


@given(text=st.lists(names, min_size=1, max_size=6).map(" ".join), columns=st.integers(2, 40))
def test_a_folded_text_fits_and_is_whole(text: str, columns: int) -> None:
    lines = folded(text, columns)
    assert all(cells(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_figure_keeps_its_unit() -> None:
    text = "late steps 3 (99 % within 413 ms), lost 12 ms."
    for columns in range(8, 50):
        assert not any(line.endswith(("99", "413", "12")) for line in wrapped(text, columns))


def test_a_did_stays_whole_so_that_it_can_be_copied() -> None:
    did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
    assert any(did in line for line in wrapped(f"alice ({did}), profile default", 40))
