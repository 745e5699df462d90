"""Sessions of the gossip joined by a wire in virtual time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from blink_cli.core.gossip import (
    Acknowledged,
    Gossip,
    GossipEffect,
    GossipSettings,
    Path,
    PathKind,
    Received,
    Told,
    Transmit,
    unicast_path,
)
from blink_cli.core.gossip.datagram import write_datagrams
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import CallId
from blink_cli.core.signaling.channel_seal import seal_message
from blink_cli.core.signaling.pair_secrets import PairSecrets
from blink_cli.core.signaling.replay_memory import ReplayMemory
from blink_cli.core.signaling.signals import Announce, CallSignal, DirectSignal, Offer, Signal
from blink_cli.core.signaling.topics import day_of, public_channel

LAN = Path(PathKind.LAN, "192.0.2.1")
LOOPBACK = Path(PathKind.LOOPBACK, "127.0.0.1")
CALL_ID = CallId("0123456789abcdef" * 2)
GROUP_KEY = b"g" * 32
NOTHING_WAS_SAID = ReplayMemory()
"""To a new identity: its first session believes what clocks agree on."""

WALL_S = 1_700_000_000.0


def pair_secret(one: "Party", other: "Party") -> bytes:
    return PairSecrets(one.identity).of(other.identity.public_key)


def to_public(party: "Party", message_id: bytes, sealed: bytes) -> bytes:
    """What whoever knows the DID can send on the public topic of today."""
    channel = public_channel(party.identity.public_key, day_of(round(WALL_S * 1000)))
    (datagram,) = write_datagrams(
        channel.topic, message_id, seal_message(b"\x01" + sealed, channel, message_id), ttl=4, attempt=0
    )
    return datagram


def announce(sequence: int = 1) -> Announce:
    return Announce(1, sequence, "anna", muted=False, deafened=False, recording=False, hears=())


class Party:
    """One session: its machine and what it was told."""

    def __init__(
        self,
        number: int,
        *,
        paths: tuple[Path, ...] = (LAN,),
        settings: GossipSettings | None = None,
        seed: int = 0,
        memory: ReplayMemory | None = NOTHING_WAS_SAID,
    ) -> None:
        self.identity = Identity(bytes([number]) * 32)
        self.did = self.identity.did
        self.gossip = Gossip(
            self.identity,
            Random(f"{number} {seed}").randbytes,
            settings or GossipSettings(),
            memory=memory,
        )
        self.paths = paths
        self.gossip.set_paths(paths)
        self.address = (f"192.0.2.{number}", 40_000 + number)
        self.told: list[Told] = []
        self.clock_error_s = 0.0
        self.hears_multicast = True
        self.has_place = True

    @property
    def deliveries(self) -> list[Received]:
        return [effect for effect in self.told if isinstance(effect, Received)]

    @property
    def received(self) -> list[Signal]:
        return [effect.signal for effect in self.deliveries]

    @property
    def acknowledged(self) -> list[DirectSignal]:
        return [effect.signal for effect in self.told if isinstance(effect, Acknowledged)]


@dataclass
class Wire:
    """Carries datagrams at once, with seeded loss; multicast to everyone who has the same path."""

    parties: list[Party]
    loss: float = 0.0
    seed: int = 0
    now_s: float = 100.0
    carried: list[tuple[Party, Path, bytes]] = field(default_factory=list)
    acquainted: bool = True
    """Whether everyone knows everyone's prekey, as presences tell it."""

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        if self.acquainted:
            self.acquaint(*self.parties)

    def acquaint(self, *parties: Party) -> None:
        """Have each of them know the prekeys of the others."""
        for party in parties:
            for other in parties:
                prekey = other.gossip._own_prekeys.tell(self.now_s)
                party.gossip._prekeys.learn(other.identity.public_key, prekey, self.now_s)

    def do(self, sender: Party, effects: Iterable[GossipEffect]) -> None:
        """Carry out what a session said, and all that follows from it at this moment."""
        for effect in effects:
            if not isinstance(effect, Transmit):
                sender.told.append(effect)
                if sender.has_place and isinstance(effect, Received) and isinstance(effect.signal, Offer):
                    self.do(sender, sender.gossip.confirm_offer(effect.sender, effect.signal.call_id))
                continue
            assert len(effect.datagram) <= 1_200
            for path in effect.paths:
                self.carried.append((sender, path, effect.datagram))
                for party in self.parties:
                    self._carry(effect.datagram, path, sender, party)

    def _carry(self, datagram: bytes, path: Path, sender: Party, party: Party) -> None:
        if path.kind is PathKind.UNICAST:
            reached = path == unicast_path(party.address)
            arrival = unicast_path(sender.address)
        else:
            reached = path in party.paths and party.hears_multicast
            arrival = path
        # Multicast comes back to its sender too: the machine must bear that.
        if reached and self.random.random() >= self.loss:
            self.put(party, datagram, arrival, sender.address)

    def put(self, party: Party, datagram: bytes, path: Path, source: tuple[str, int]) -> None:
        """Let one session hear one datagram, whoever sent it."""
        self.do(party, party.gossip.receive(datagram, path, source, self.now_s, self.wall_s(party)))

    def wall_s(self, party: Party) -> float:
        return WALL_S + self.now_s + party.clock_error_s

    def send_to_peer(
        self, sender: Party, receiver: Party, signal: DirectSignal, call_id: CallId | None = CALL_ID
    ) -> None:
        for party in self.parties:  # as the driver does it, before anything is heard
            party.gossip.begin(self.now_s, self.wall_s(party))
        self.do(
            sender, sender.gossip.send_to_peer(receiver.did, signal, call_id, self.now_s, self.wall_s(sender))
        )

    def send_to_call(
        self, sender: Party, signal: CallSignal, copies: int = 0, *, straight: bool = False
    ) -> None:
        effects = sender.gossip.send_to_call(
            CALL_ID, signal, copies, self.now_s, self.wall_s(sender), straight=straight
        )
        self.do(sender, effects)

    def run(self, until_s: float) -> None:
        """Let this much time pass, waking everyone when they ask."""
        end_s = self.now_s + until_s
        while True:
            asked = [(party.gossip.next_timeout(), party) for party in self.parties]
            due = [(wake_s, party) for wake_s, party in asked if wake_s is not None and wake_s <= end_s]
            if not due:
                break
            wake_s, party = min(due, key=lambda entry: entry[0])
            self.now_s = max(self.now_s, wake_s)
            self.do(party, party.gossip.handle_timeout(self.now_s, self.wall_s(party)))
        self.now_s = end_s


def offer(caller: Party, *others: Party) -> Offer:
    return Offer(CALL_ID, GROUP_KEY, (caller.did, *(other.did for other in others)), "anna")
