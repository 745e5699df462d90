# ruff: noqa: SLF001 - part of the seam, which may touch private names
"""ICE's connectivity checks of one link: aioice's, started together, repeated when the way opens, and the best way that they find.

A part of the seam to aioice; see ice_connection.py and docs/rtp_seam.md.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from aioice.ice import CandidatePair, Connection, StunProtocol, candidate_pair_priority
from aioice.stun import Message

from blink_cli.net.ice.path_watch import PathWatch
from blink_cli.net.ice.stun_socket import StunSocket

CHECKS_AT_ONCE: Final = 8
"""Connectivity checks started together. RFC 8445, section 14.2, paces them for the sake of NATs and modems with a
default of 50 ms; eight datagrams of 100 bytes are no burst to any of them today."""

DIRECT_HEAD_START_S: Final = 0.02
"""How much earlier direct ways are tried than those through a relay, which would win on a LAN with a relay in it."""

_UNCHECKED: Final = ("WAITING", "FROZEN")


class ConnectivityChecks:
    """Of one `IceConnection`, which asks it. Belongs to its event loop, and ends with it."""

    def __init__(
        self,
        connection: Connection,
        *,
        is_near: Callable[[CandidatePair], bool],
        paths: PathWatch,
    ) -> None:
        """Have nothing to check yet.

        Args:
            connection: Whose checks they are.
            is_near: Whether a pair needs no router; such are checked first.
            paths: Decides which way the link goes once it stands.

        """
        self._connection = connection
        self._is_near = is_near
        self._paths = paths
        self._repeated: set[CandidatePair] = set()
        self._spoken_by: set[CandidatePair] = set()
        """Ways by which a check of the other side's came before the link stood."""

    def start(self) -> bool:
        """Start what may be started now. Returns whether `Connection.connect` shall call again in 20 ms.

        In place of aioice's pacing of one check every 20 ms, whose first sleep alone is a fifth of the set-up.
        """
        connection = self._connection
        if connection._check_list_done:
            return False
        unchecked = [
            pair for pair in connection._check_list if pair.task is None and pair.state.name in _UNCHECKED
        ]
        unchecked.sort(key=self._is_near, reverse=True)
        # A relay is for where nothing else works: the direct ways get a head start.
        direct = [pair for pair in unchecked if not _is_relayed(pair)]
        due = direct or unchecked
        for pair in due[:CHECKS_AT_ONCE]:
            connection.check_start_task(pair)
        if len(due) < len(unchecked):
            # Not by connect()'s own next round: it would sleep although a direct way was found.
            asyncio.get_running_loop().call_later(DIRECT_HEAD_START_S, self.start)
        return len(due) > CHECKS_AT_ONCE or connection._remote_candidates_expected()

    def completed(self, pair: CandidatePair, before: CandidatePair | None) -> None:
        """See that the best pair is used, once aioice has taken the end of a check.

        Several pairs may be nominated before the checks end; aioice would use the last one. The best one counts
        (RFC 5245, section 11.1.1): or a relay would carry what can go directly.

        Args:
            pair: The one that was checked.
            before: The one that was nominated before that.

        """
        if before is not None and self._connection._nominated.get(pair.component) is pair:
            best = before if self._paths.stands else max(before, pair, key=self._worth)
            self._connection._nominated[pair.component] = best

    def take_nominated(self, address: tuple[str, int], protocol: StunProtocol) -> None:
        """Use the way by which the other side's nominating check has just come, before our own check of it is answered: that saves a round trip.

        What goes out by it until then is our handshake alone, to an address that the other side's description names and that a check signed
        with our password came from. A way that proves to work takes its place if it does not.
        """
        connection = self._connection
        if connection._check_list_done or connection.ice_controlling:
            return
        for pair in connection._check_list:
            if pair.protocol is protocol and pair.remote_addr == address and pair.remote_nominated:
                connection._nominated[pair.component] = pair
                connection._check_list_maybe_complete()
                return

    def go_on(self) -> None:
        """Check on after the first way was found: aioice ends all checks.

        Once that way is proved, those by which the other side spoke: it may have chosen one of them, and what it says from an address that
        nobody named (behind a symmetric NAT, to our relay) is heard only once a check of ours has proved that it is there. Else all.
        """
        used = self._connection._nominated.get(1)
        is_proved = used is not None and used.state.name == "SUCCEEDED"
        for pair in self._spoken_by if is_proved else tuple(self._connection._check_list):
            if pair.state.name == "IN_PROGRESS" or (not is_proved and pair.state.name in _UNCHECKED):
                pair.task = None
                self._connection.check_start_task(pair)

    def _worth(self, pair: CandidatePair) -> tuple[bool, int]:
        return pair.state.name == "SUCCEEDED", self._priority(pair)

    def _priority(self, pair: CandidatePair) -> int:
        return candidate_pair_priority(
            pair.local_candidate, pair.remote_candidate, self._connection.ice_controlling
        )

    def nominates_known(self, message: Message, address: tuple[str, int], protocol: StunProtocol) -> bool:
        """Take a check of the other side's while the link stands. Returns whether it came by a way that is known."""
        known = self._paths.knows(protocol, address)
        if known and "USE-CANDIDATE" in message.attributes and not self._connection.ice_controlling:
            self._paths.nominated(protocol, address)
        return known

    def repeat(self, address: tuple[str, int], protocol: StunProtocol) -> None:
        """Say our own check of this way again at once, since one of the other side's came by it.

        It shows that the way is open, where a NAT or a relay without permission may have dropped ours (RFC 8445, section 7.3.1.4); aioice
        waits 0.5 s for its repetition. Once for each pair: two sides that repeat for each other would never wait for an answer.
        """
        for pair in self._connection._check_list:
            if pair.protocol is protocol and pair.remote_addr == address:
                self._spoken_by.add(pair)
                between_hosts = pair.local_candidate.type == pair.remote_candidate.type == "host"
                if (
                    pair.task is None
                    or between_hosts
                    or pair in self._repeated
                    or pair.state.name != "IN_PROGRESS"
                ):
                    return
                self._repeated.add(pair)
                assert isinstance(protocol, StunSocket), "the connection makes no others"
                protocol.say_again(address)
                return


def _is_relayed(pair: CandidatePair) -> bool:
    return "relay" in (pair.local_candidate.type, pair.remote_candidate.type)
