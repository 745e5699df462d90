"""What is under way is said again at once when there is a path that was not there before: its receiver may have been out of reach."""

from blink_cli.core.gossip import Path, PathKind
from blink_cli.core.signaling.signals import Decline
from tests.core.gossip.parts import CALL_ID, LAN, Party, Wire

OTHER = Path(PathKind.LAN, "198.51.100.1")


def under_way() -> tuple[Wire, Party, Party]:
    """Anna has said something, and said it again so often that the next time is a while away."""
    anna, ben = Party(1), Party(2, paths=(OTHER,))
    wire = Wire([anna, ben])
    wire.send_to_peer(anna, ben, Decline(CALL_ID))
    wire.run(3.0)
    assert not ben.received
    return wire, anna, ben


def test_it_is_said_again_at_once() -> None:
    wire, anna, ben = under_way()
    anna.gossip.set_paths((LAN, OTHER))
    wire.run(0.01)
    assert ben.received == [Decline(CALL_ID)]


def test_a_path_that_went_hurries_nothing() -> None:
    wire, anna, _ = under_way()
    anna.gossip.set_paths((LAN, OTHER))
    wire.run(0.5)
    carried = len(wire.carried)
    anna.gossip.set_paths((LAN,))
    anna.gossip.set_paths((LAN,))
    wire.run(0.01)
    assert len(wire.carried) == carried
