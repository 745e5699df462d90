"""A network address translator, as RFC 4787 describes them: values and `now` in, values out.

    mapping     which outside port an inside endpoint has: one for everybody, one for each outside address, one for each address and port
    filtering   who outside may speak to that port: everybody, addresses that were spoken to, addresses and ports that were

The names of old (RFC 3489): a full cone has both endpoint-independent; a port restricted cone maps endpoint-independently and filters by
address and port; a symmetric NAT does both by address and port.
"""

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

Endpoint = tuple[str, int]
"""IPv4 address and port."""

MAPPING_LASTS_S: Final = 120.0
"""The least that RFC 4787 (REQ-5) allows for UDP. What goes out renews it, what comes in does not."""

FIRST_PORT: Final = 1024
LAST_PORT: Final = 65_535


class Dependence(StrEnum):
    """On what of the outside endpoint a mapping, or a filter, depends."""

    ENDPOINT_INDEPENDENT = "endpoint-independent"
    ADDRESS_DEPENDENT = "address-dependent"
    ADDRESS_AND_PORT_DEPENDENT = "address-and-port-dependent"

    def key(self, outside: Endpoint) -> tuple[str | int, ...]:
        """What two outside endpoints share if they are the same to it."""
        match self:
            case Dependence.ENDPOINT_INDEPENDENT:
                return ()
            case Dependence.ADDRESS_DEPENDENT:
                return (outside[0],)
            case Dependence.ADDRESS_AND_PORT_DEPENDENT:
                return outside


@dataclass(frozen=True, slots=True)
class NatBehaviour:
    """Of one translator."""

    mapping: Dependence
    filtering: Dependence


FULL_CONE: Final = NatBehaviour(Dependence.ENDPOINT_INDEPENDENT, Dependence.ENDPOINT_INDEPENDENT)
PORT_RESTRICTED: Final = NatBehaviour(Dependence.ENDPOINT_INDEPENDENT, Dependence.ADDRESS_AND_PORT_DEPENDENT)
SYMMETRIC: Final = NatBehaviour(Dependence.ADDRESS_AND_PORT_DEPENDENT, Dependence.ADDRESS_AND_PORT_DEPENDENT)

NAT_KINDS: Final = {"full-cone": FULL_CONE, "port-restricted": PORT_RESTRICTED, "symmetric": SYMMETRIC}


@dataclass(slots=True)
class _Mapping:
    key: tuple[object, ...]
    inside: Endpoint
    ends_s: float
    spoken_to: set[tuple[str | int, ...]] = field(default_factory=set)


class Nat:
    """One translator with one outside address. Ports are drawn, so that none can be foretold from another. No hairpinning."""

    def __init__(self, behaviour: NatBehaviour, seed: str) -> None:
        """Know no mapping.

        Args:
            behaviour: How it maps and filters.
            seed: Of its outside ports.

        """
        self._behaviour = behaviour
        self._ports = random.Random(seed)
        self._by_inside: dict[tuple[object, ...], int] = {}
        self._by_port: dict[tuple[int, int], _Mapping] = {}

    def leave(self, protocol: int, inside: Endpoint, outside: Endpoint, now_s: float) -> int:
        """Return the outside port from which a packet goes out, of a mapping that is made if there is none.

        Args:
            protocol: IP's number: 17 UDP, 6 TCP.
            inside: Who speaks.
            outside: To whom.
            now_s: Monotonic.

        """
        key = (protocol, inside, self._behaviour.mapping.key(outside))
        port = self._by_inside.get(key)
        mapping = None if port is None else self._living((protocol, port), now_s)
        if port is None or mapping is None:
            port = self._free_port(protocol)
            mapping = self._by_port[protocol, port] = _Mapping(key, inside, now_s)
            self._by_inside[key] = port
        mapping.ends_s = now_s + MAPPING_LASTS_S
        mapping.spoken_to.add(self._behaviour.filtering.key(outside))
        return port

    def enter(self, protocol: int, port: int, outside: Endpoint, now_s: float) -> Endpoint | None:
        """Return who inside gets a packet that came to an outside port; None if nobody does."""
        mapping = self._living((protocol, port), now_s)
        if mapping is None or self._behaviour.filtering.key(outside) not in mapping.spoken_to:
            return None
        return mapping.inside

    def reboot(self) -> None:
        """Forget every mapping; the ports of those that are made anew are others."""
        self._by_inside.clear()
        self._by_port.clear()

    def _living(self, at: tuple[int, int], now_s: float) -> _Mapping | None:
        mapping = self._by_port.get(at)
        if mapping is not None and mapping.ends_s <= now_s:
            del self._by_port[at]
            del self._by_inside[mapping.key]
            return None
        return mapping

    def _free_port(self, protocol: int) -> int:
        while True:
            port = self._ports.randint(FIRST_PORT, LAST_PORT)
            if (protocol, port) not in self._by_port:
                return port
