"""What happens in the simulated network, as lines of text."""

from blink_cli.core.call.inputs import CallInput
from blink_cli.core.signaling.signals import Announce, Offer
from blink_cli.lab.simulation.node import Node


def name_of(node: Node) -> str:
    """The end of its DID, which process it is, and its life."""
    return f"{node.did[-4:]}#{node.index}.{node.life}"


def shortened(value: object) -> str:
    """A value, without what makes a line long."""
    if isinstance(value, Announce):
        hears = " ".join(f"{h.did[-4:]}:{h.link}@{h.incarnation % 10**6}" for h in value.hears)
        return f"Announce(@{value.incarnation % 10**6} #{value.sequence} hears {hears or 'nobody'})"
    if isinstance(value, Offer):
        return f"Offer({value.call_id[:6]})"
    return str(value).replace("did:key:", "")


def told_as_text(told: CallInput | None) -> str:
    """An input, None for the time."""
    if told is None:
        return "timeout"
    fields = (shortened(getattr(told, name)) for name in told.__struct_fields__)
    return f"{type(told).__name__}({', '.join(fields)})"
