"""Pictures beside each other."""

from itertools import combinations

import pytest

from blink_cli.commands.show.pictures.pixels import Place
from blink_cli.commands.show.pictures.tiling import tiled
from blink_cli.commands.show.styled import plain

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 12])
@pytest.mark.parametrize(("rows", "columns"), [(22, 79), (50, 200), (60, 40), (12, 79)])
def test_places_are_inside_apart_and_named(count: int, rows: int, columns: int) -> None:
    area = Place(3, 2, rows, columns)
    names = [(f"k{k}", f"person {k}") for k in range(count)]
    tiling = tiled(names, area)
    assert len(tiling.lines) == rows
    assert tiling.places
    for place in tiling.places.values():
        assert area.row <= place.row
        assert place.row + place.rows < area.row + rows
        assert area.column <= place.column
        assert place.column + place.columns <= area.column + columns
    for one, other in combinations(tiling.places.values(), 2):
        assert (
            one.row + one.rows <= other.row
            or other.row + other.rows <= one.row
            or one.column + one.columns <= other.column
            or other.column + other.columns <= one.column
        )
    text = "\n".join(plain(one) for one in tiling.lines)
    for key in tiling.places:
        assert f"person {key[1:]}" in text
    labels = [row for row, one in enumerate(tiling.lines) if plain(one).strip()]
    for place in tiling.places.values():
        assert not set(labels) & set(range(place.row - area.row, place.row - area.row + place.rows))


def test_what_has_no_room_is_left_out() -> None:
    assert tiled([("a", "a")], Place(0, 0, 2, 79)).places == {}
    assert list(tiled([("a", "a"), ("b", "b")], Place(0, 0, 5, 12)).places) == ["a"]
    assert len(tiled([], Place(0, 0, 4, 79)).lines) == 4
