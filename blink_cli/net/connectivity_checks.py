# ruff: noqa: SLF001 - part of the seam, which may touch private names
"""ICE's connectivity checks of one link: aioice's, started together, repeated sooner, and the best way that they find.

A part of the seam to aioice; see rtp_seam.py and docs/rtp_seam.md.
"""

import asyncio
from collections import deque
from typing import Final

from aioice.ice import CandidatePair, Connection, StunProtocol, candidate_pair_priority
from aioice.stun import Class, Message

from blink_cli.net.shadow import shadow

CHECKS_AT_ONCE: Final = 8
"""Connectivity checks started together. RFC 8445, section 14.2, paces them for the sake of NATs and modems with a
default of 50 ms; eight datagrams of 100 bytes are no burst to any of them today."""

DIRECT_HEAD_START_S: Final = 0.02
"""How much earlier direct ways are tried than those through a relay, which would win on a LAN with a relay in it."""

COPIES_AFTER_S: Final = (0.1, 0.25, 0.8, 1.1, 2.0, 2.5, 3.0, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 8.0, 8.5, 9.0)
"""When an unanswered check is said again, besides aioice's own repetitions after 0.5, 1.5, 3.5 and 7.5 s: with 30 % loss a check and its
answer both arrive only every second time. RFC 8445, section 14.3, asks for 0.5 s, for the sake of servers; browsers wait 0.05 s. Later ones are
for the first words between two machines of one network: while ARP's questions are lost, which it asks once a second, nothing at all goes out."""

MAX_REMEMBERED: Final = 256
"""Checks whose copies were arranged; each pair of addresses has one under way."""

_UNCHECKED: Final = ("WAITING", "FROZEN")


class ConnectivityChecks:
    """Put before the checks of one aioice connection. Belongs to its event loop, and ends with it."""

    def __init__(self, connection: Connection) -> None:
        """Take the checks over, before any has begun."""
        self._connection = connection
        self._repeated: set[CandidatePair] = set()
        self._check_incoming = connection.check_incoming
        self._check_complete = connection.check_complete
        shadow(connection, "_check_periodic", self._start)
        shadow(connection, "check_incoming", self._repeat)
        shadow(connection, "check_complete", self._complete)

    def repeat_requests_of(self, protocol: StunProtocol) -> None:
        """Say this socket's unanswered checks again, sooner than aioice would."""
        send = protocol.send_stun
        arranged: deque[bytes] = deque(maxlen=MAX_REMEMBERED)
        loop = asyncio.get_running_loop()

        def send_again(message: Message, address: tuple[str, int]) -> None:
            if message.transaction_id in protocol.transactions:
                send(message, address)

        def send_stun(message: Message, address: tuple[str, int]) -> None:
            send(message, address)
            if message.message_class is Class.REQUEST and message.transaction_id not in arranged:
                arranged.append(message.transaction_id)
                for after_s in COPIES_AFTER_S:
                    loop.call_later(after_s, send_again, message, address)

        shadow(protocol, "send_stun", send_stun)

    def _start(self) -> bool:
        # In place of aioice's pacing of one check every 20 ms, whose first sleep alone is a fifth of the set-up.
        # Returns whether connect() shall call again in 20 ms.
        connection = self._connection
        if connection._check_list_done:
            return False
        unchecked = [
            pair for pair in connection._check_list if pair.task is None and pair.state.name in _UNCHECKED
        ]
        # A relay is for where nothing else works: the direct ways get a head start.
        direct = [pair for pair in unchecked if not _is_relayed(pair)]
        due = direct or unchecked
        for pair in due[:CHECKS_AT_ONCE]:
            connection.check_start_task(pair)
        if len(due) < len(unchecked):
            # Not by connect()'s own next round: it would sleep although a direct way was found.
            asyncio.get_running_loop().call_later(DIRECT_HEAD_START_S, self._start)
        return len(due) > CHECKS_AT_ONCE or connection._remote_candidates_expected()

    def _complete(self, pair: CandidatePair) -> None:
        # Several pairs may be nominated before the checks end; aioice would use the last one. The best one counts
        # (RFC 5245, section 11.1.1): or a relay would carry what can go directly.
        before = self._connection._nominated.get(pair.component)
        self._check_complete(pair)
        if before is not None and self._connection._nominated.get(pair.component) is pair:
            self._connection._nominated[pair.component] = max(before, pair, key=self._priority)

    def _priority(self, pair: CandidatePair) -> int:
        return candidate_pair_priority(
            pair.local_candidate, pair.remote_candidate, self._connection.ice_controlling
        )

    def _repeat(self, message: Message, address: tuple[str, int], protocol: StunProtocol) -> None:
        # A check that comes in shows that the way is open, so our own, which a NAT or a relay without permission may have
        # dropped, is said again at once (RFC 8445, section 7.3.1.4), where aioice waits 0.5 s for its repetition. Once
        # for each pair: two sides that repeat for each other would never wait for an answer.
        self._check_incoming(message, address, protocol)
        for pair in self._connection._check_list:
            if pair.protocol is protocol and pair.remote_addr == address:
                between_hosts = pair.local_candidate.type == pair.remote_candidate.type == "host"
                task = pair.task
                if (
                    task is None
                    or between_hosts
                    or pair in self._repeated
                    or pair.state.name != "IN_PROGRESS"
                ):
                    return
                self._repeated.add(pair)
                task.cancel()
                pair.task = None
                self._connection.check_start_task(pair)
                return


def _is_relayed(pair: CandidatePair) -> bool:
    return "relay" in (pair.local_candidate.type, pair.remote_candidate.type)
