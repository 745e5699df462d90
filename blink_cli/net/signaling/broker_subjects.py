"""How a broker of subjects (NATS) carries the gossip: which subject a datagram goes to, and who it came from.

    blink.t.TOPIC      what is said on a topic, 32 hex digits: who listens to it, subscribes to it
    blink.i.INBOX      what is for one connection alone; its 32 hex digits are drawn anew for each session and name nobody

A message carries one datagram, and the sender's inbox as its reply. That is the source that budgets and reassembly count by, and, as all that a
datagram's header says, a claim. Topics tell nothing to those who lack their keys (core/signaling/topics.py), and change every day.
"""

from typing import Final

from blink_cli.core.gossip.datagram import topic_of
from blink_cli.core.gossip.paths import Address, Path, PathKind, unicast_path
from blink_cli.core.signaling.topics import Topic

PREFIX: Final = "blink"
INBOX_BYTES: Final = 16
BROKER_HOST_ENDING: Final = ".broker"
"""Of the host in a source that is no address of a network. Neighbours are paths by their addresses, so that no name of a machine can be meant."""

_INBOXES: Final = f"{PREFIX}.i."
_PORT: Final = 0

_HEX: Final = frozenset("0123456789abcdef")


def broker_path(name: str) -> Path:
    """The way to everybody who listens behind a broker."""
    return Path(PathKind.BROKER, name, name, overheard=True)


def topic_subject(topic: Topic) -> str:
    """Where what is said on a topic goes."""
    return f"{PREFIX}.t.{topic.hex()}"


def inbox_subject(inbox: bytes) -> str:
    """Where what is for one connection goes."""
    return _INBOXES + inbox.hex()


def inbox_address(inbox: bytes) -> Address:
    """The source of what the owner of this inbox sends."""
    return (inbox.hex() + BROKER_HOST_ENDING, _PORT)


def source_of(reply: str) -> Address:
    """From whom a message came, by its reply subject; a nameless one if that is no inbox of ours."""
    inbox = reply.removeprefix(_INBOXES)
    if len(inbox) != 2 * INBOX_BYTES or not _HEX.issuperset(inbox):
        inbox = "0" * 2 * INBOX_BYTES
    return (inbox + BROKER_HOST_ENDING, _PORT)


def is_broker_way(path: Path) -> bool:
    """Whether a broker carries what goes this way."""
    return path.kind is PathKind.BROKER or _inbox_of(path) is not None


def _inbox_of(path: Path) -> str | None:
    host = path.name.rpartition(":")[0]
    is_inbox = path.kind is PathKind.UNICAST and host.endswith(BROKER_HOST_ENDING)
    return host.removesuffix(BROKER_HOST_ENDING) if is_inbox else None


def subject_on(path: Path, datagram: bytes) -> str | None:
    """Return where a datagram goes on this path; None if no broker leads there."""
    if path.kind is PathKind.BROKER:
        topic = topic_of(datagram)
        return None if topic is None else topic_subject(topic)
    inbox = _inbox_of(path)
    return None if inbox is None else _INBOXES + inbox


def path_to(address: Address) -> Path:
    """The way straight to a source."""
    return unicast_path(address, overheard=True)
