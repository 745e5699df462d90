"""The matrix of who hears whom."""

import pytest

from blink_cli.commands.show.layout import fitted, unfolded
from blink_cli.commands.show.mesh_table import mesh_table
from blink_cli.commands.show.styled import plain, width_of
from blink_cli.core.api.events import LinkState
from blink_cli.core.api.replies.calls import Mesh, MeshLink, MeshParticipant
from blink_cli.core.ids import Did
from tests.support.scripted_session import ALICE, BOB, CALL, CAROL

pytestmark = pytest.mark.no_clock


def hears(**links: tuple[LinkState, float]) -> tuple[MeshLink, ...]:
    dids = {"alice": ALICE, "bob": BOB, "carol": CAROL}
    return tuple(MeshLink(did=dids[who], link=link, lost_share=lost) for who, (link, lost) in links.items())


OK = (LinkState.CONNECTED, 0.0)
MESH = Mesh(
    call=CALL,
    participants=(
        MeshParticipant(
            did=ALICE,
            nickname="alice",
            self=True,
            present=True,
            hears=hears(bob=OK, carol=(LinkState.CONNECTED, 0.043)),
        ),
        MeshParticipant(
            did=BOB,
            nickname="bob",
            self=False,
            present=True,
            hears=hears(alice=OK, carol=(LinkState.LOST, 0.0)),
        ),
        MeshParticipant(
            did=CAROL,
            nickname="carol",
            self=False,
            present=True,
            hears=hears(alice=(LinkState.CONNECTING, 0.0)),
        ),
    ),
)


def test_each_link_has_a_word_or_its_loss_and_what_is_not_known_is_blank() -> None:
    assert [plain(line) for line in unfolded(mesh_table(MESH), 80)] == [
        "who hears        1   2     3",
        "1 alice (you)    -  ok    4%",
        "2 bob           ok   -  lost",
        "3 carol        ...         -",
    ]


@pytest.mark.parametrize("columns", [5, 20, 24, 40, 160])
def test_a_cell_is_whole_or_not_there(columns: int) -> None:
    many = Mesh(
        call=CALL,
        participants=tuple(
            MeshParticipant(
                did=Did(f"did:key:z6Mk{row:040}"),
                nickname=f"participant {row}",
                self=row == 0,
                present=True,
                hears=tuple(
                    MeshLink(did=Did(f"did:key:z6Mk{to:040}"), link=LinkState.CONNECTED, lost_share=0.12)
                    for to in range(32)
                    if to != row
                ),
            )
            for row in range(32)
        ),
    )
    laid = fitted(mesh_table(many), columns)
    for line in laid.lines:
        assert width_of(line) <= columns
    for group in laid.groups:
        for word in plain(group[0]).split()[3:]:
            assert word in {"-", "12%", "(you)"} or columns < 40
