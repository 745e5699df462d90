"""Opens and verifies what came for this session: the only public-key operations that others can make it do."""

from collections.abc import Callable

from blink_cli.core.errors import WireError
from blink_cli.core.gossip.admission import Admission
from blink_cli.core.gossip.counters import GossipCounters
from blink_cli.core.gossip.datagram import Datagram
from blink_cli.core.gossip.dates import Dates
from blink_cli.core.gossip.effects import Arrival
from blink_cli.core.gossip.sealer import TO_CALL, TO_PEER
from blink_cli.core.gossip.signal_topics import Listening, Place
from blink_cli.core.identity.identity import Identity
from blink_cli.core.signaling.envelope import ForgedError, OpenedEnvelope, read_claim, read_envelope
from blink_cli.core.signaling.prekeys import OwnPrekeys
from blink_cli.core.signaling.replay import Freshness
from blink_cli.core.signaling.sealing import Opened, UnknownPrekeyError, open_to_peer
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.signals import FIRST_WORDS


class Opener:
    """Of one session. What is refused is counted; nothing raises."""

    def __init__(
        self,
        identity: Identity,
        prekeys: OwnPrekeys,
        *,
        admission: Admission,
        counters: GossipCounters,
        dates: Dates,
        class_of: Callable[[Listening], SenderClass],
    ) -> None:
        """Open with this identity's key and this session's prekeys; what `dates` would refuse is not verified."""
        self._prekeys = prekeys
        self._class_of = class_of
        self._dates = dates
        self._identity = identity
        self._admission = admission
        self._counters = counters

    def open(
        self,
        message: bytes,
        datagram: Datagram,
        listening: Listening,
        arrival: Arrival,
        wall_s: float,
    ) -> OpenedEnvelope | None:
        """The signed content of a whole message; None when it is too much, forged, or not for us.

        Args:
            message: What came on this channel, put together.
            datagram: One of its datagrams.
            listening: What its topic means.
            arrival: How and when it came.
            wall_s: Seconds since 1970.

        """
        scope = datagram.scope
        if message[:1] != (TO_CALL if listening.place is Place.CALL else TO_PEER):
            self._counters.malformed += 1
            return None
        if listening.place is Place.CALL:
            inner, protected = self._to_call(message[1:], datagram, arrival, wall_s), True
        else:
            to_us = self._unsealed(message[1:], scope, listening, arrival)
            inner, protected = (None, False) if to_us is None else (to_us.plaintext, to_us.to_prekey)
        if inner is None:
            return None
        opened = self._verified(inner, scope, listening)
        if opened is not None and not protected and type(opened.signal) not in FIRST_WORDS:
            self._counters.unprotected += 1
            return None
        return opened

    def _verified(self, inner: bytes, scope: bytes, listening: Listening) -> OpenedEnvelope | None:
        try:
            opened = read_envelope(inner, scope=scope, recipient=listening.recipient)
        except ForgedError:
            self._counters.forgeries += 1
            return None
        except WireError:
            self._counters.malformed += 1
            return None
        if not listening.takes(opened.sender, opened.signal):
            self._counters.malformed += 1
            return None
        return opened

    def _unsealed(self, sealed: bytes, scope: bytes, listening: Listening, arrival: Arrival) -> Opened | None:
        if listening.peer is None:
            admitted = self._admission.admit_stranger(arrival.source, arrival.now_s)
        else:
            admitted = self._admission.admit_peer(listening.peer, self._class_of(listening), arrival.now_s)
        if not admitted:
            self._counters.rate_limited += 1
            return None
        try:
            secrets = self._prekeys.secrets(arrival.now_s)
            return open_to_peer(sealed, self._identity.agreement_key, scope, secrets)
        except UnknownPrekeyError:
            self._counters.unknown_prekeys += 1
            return None
        except WireError:
            self._counters.unopened += 1
            return None

    def _to_call(self, inner: bytes, datagram: Datagram, arrival: Arrival, wall_s: float) -> bytes | None:
        """What opened with the group key cost microseconds; a recording of the call is refused before it spends more."""
        try:
            claim = read_claim(inner)
        except WireError:
            self._counters.malformed += 1
            return None
        match self._dates.foresee(claim, datagram.message_id, arrival, wall_s):
            case Freshness.SEEN:
                self._counters.replays += 1
                return None
            case Freshness.FORGOTTEN:
                self._counters.stale += 1
                return None
            case Freshness.STALE:
                admitted = self._admission.admit_doubtful(claim.sender, arrival.source, arrival.now_s)
            case Freshness.FRESH:
                admitted = self._admission.admit_member(claim.sender, arrival.source, arrival.now_s)
        if not admitted:
            self._counters.rate_limited += 1
            return None
        return inner
