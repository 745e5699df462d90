"""Finds the peers that a load is to call: by contacts, DNS-SD and greetings, as a session does. Gone once they are found."""

import secrets
from collections.abc import Sequence
from typing import Final

from blink_cli.app.call.call_waiting import until
from blink_cli.app.call.peer_directory import PeerDirectory
from blink_cli.app.event_hub import EventHub
from blink_cli.app.profile.contacts import Contacts
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.gossip import ClockRead, Gossip, MulticastHeard, Noticed, Received, Told
from blink_cli.core.gossip.paths import PathKind
from blink_cli.core.identity.identity import SEED_BYTES, Identity
from blink_cli.core.ids import Did
from blink_cli.core.signaling.replay_memory import ReplayMemory
from blink_cli.core.signaling.signals import Presence
from blink_cli.net.signaling.gossip_driver import GossipDriver
from blink_cli.net.signaling.udp_transport import UdpTransport

NAME: Final = "load"


class _NoCalls:
    """A finder is in no call."""

    def claims(self) -> dict[Did, str]:
        return {}

    def participants(self) -> frozenset[Did]:
        return frozenset()

    def set_contacts(self, dids: frozenset[Did]) -> None:
        del dids


class _Hearing:
    """What the gossip hears goes to the directory, which is made after it."""

    def __init__(self) -> None:
        self.directory: PeerDirectory | None = None

    def hear(self, told: Told) -> None:
        directory = self.directory
        if directory is None:
            return
        match told:
            case Noticed():
                directory.noticed(told.peer, told.nickname, told.source)
            case ClockRead():
                directory.clock_read(told)
            case Received() | MulticastHeard():
                if told.path.kind is not PathKind.UNICAST:
                    directory.heard_by_multicast(told.sender, told.path)
                if isinstance(told, Received) and isinstance(told.signal, Presence):
                    directory.presence(
                        told.sender,
                        told.signal,
                        told.source,
                        expected=told.expected,
                        overheard=told.path.overheard,
                    )
            case _:
                pass


async def find_peers(
    names: Sequence[str], contacts: Contacts, options: SessionOptions, patience_s: float
) -> dict[Did, str]:
    """Return who is meant, in the order of the names, with what each is called here.

    Args:
        names: Nicknames, DIDs, or beginnings that fit one only.
        contacts: The profile's.
        options: Where to look.
        patience_s: How long; a DID needs no looking.

    Raises:
        NotFoundError: Nobody, or more than one, fits.
        BlinkError: The network cannot be used.

    """
    identity = Identity(secrets.token_bytes(SEED_BYTES))
    hearing, hub = _Hearing(), EventHub()
    transport = UdpTransport(options.group, interfaces=options.interfaces, neighbours=options.neighbours)
    post = GossipDriver(Gossip(identity, secrets.token_bytes, memory=ReplayMemory()), transport, hearing.hear)
    directory = hearing.directory = PeerDirectory(
        contacts=contacts, own=identity.did, nickname=NAME, post=post, publish=hub.publish
    )

    def all_found() -> dict[Did, str] | None:
        dids = [directory.resolve_or_none(name) for name in names]
        found = [did for did in dids if did is not None]
        return {did: directory.name_of(did) for did in found} if len(found) == len(dids) else None

    async with post, directory.running(transport.port, options, _NoCalls()):
        found = await until(hub, all_found, patience_s)
        if found is not None:
            return found
        return {did: directory.name_of(did) for did in map(directory.resolve, names)}
