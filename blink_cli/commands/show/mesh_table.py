"""Who has a link to whom, as a matrix. Pure: a reply in, a `Table` out.

who hears      1    2    3
1 alice (you)  -   ok   4%       a row: who hears; a column: whom
2 bob         ok    -  lost
3 carol       ok             -       nothing is known of carol and bob
"""

from typing import Final

from blink_cli.commands.show.layout import Cell, Column, Table
from blink_cli.commands.show.tables import name_cell
from blink_cli.core.api.events import LinkState
from blink_cli.core.api.replies.calls import Mesh, MeshLink

WORDS: Final = {
    LinkState.CONNECTED: "ok",
    LinkState.CONNECTING: "...",
    LinkState.LOST: "lost",
    LinkState.ABSENT: "",
}
STYLES: Final = {LinkState.CONNECTED: "green", LinkState.CONNECTING: "yellow", LinkState.LOST: "bold red"}

LEAST_SHOWN_SHARE: Final = 0.005
"""Less rounds to 0 %: a link that loses nothing to speak of."""

MUCH_LOST_SHARE: Final = 0.05
"""From here on mending is not enough (docs/playout.md)."""


def mesh_table(mesh: Mesh) -> Table:
    """Return the matrix. The first columns leave last where there is no room for all."""
    people = mesh.participants
    columns = (
        Column("who hears", "name"),
        *(Column(f"{number}", right=True, rank=number) for number, _ in enumerate(people, 1)),
    )
    rows = []
    for number, person in enumerate(people, 1):
        name = name_cell(
            person.nickname,
            person.did,
            mark=f"{number} ",
            style="" if person.present else "dim",
            keep=" (you)" if person.self else "",
        )
        hears = {one.did: one for one in person.hears}
        rows.append(
            (
                name,
                *(Cell("-", "dim") if other is person else _link(hears.get(other.did)) for other in people),
            )
        )
    return Table(columns, tuple(rows))


def _link(link: MeshLink | None) -> Cell:
    if link is None:
        return Cell("")
    if link.link is LinkState.CONNECTED and link.lost_share >= LEAST_SHOWN_SHARE:
        return Cell(f"{link.lost_share:.0%}", "red" if link.lost_share >= MUCH_LOST_SHARE else "yellow")
    return Cell(WORDS.get(link.link, ""), STYLES.get(link.link, ""))
