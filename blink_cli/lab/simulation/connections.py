"""Direct connections of the simulated network: described, answered, connected by checks that take time or fail, heard, closed.

An end of a connection has a token in place of a description; who has the other's token in an offer or answer knows the other end.
"""

import random
from collections.abc import Callable
from typing import Any, Final, Protocol

from blink_cli.core.call import inputs
from blink_cli.core.call.effects import ApplyAnswer, DescribeEarly, Hangup
from blink_cli.core.call.inputs import CallInput
from blink_cli.core.ids import Did
from blink_cli.lab.simulation.node import Connection, Node

_EARLY_KEPT_S: Final = 25.0


class Stage(Protocol):
    """The world: its dice, its time, its machines, and between whom media pass."""

    random: random.Random
    now: float

    def after(self, delay_s: float, action: Callable[..., None], *args: Any) -> None:
        """Do this in so many virtual seconds."""

    def input(self, node: Node, told: CallInput | None) -> None:
        """Give a session's machine one input."""

    def media_passes(self, one: Node, other: Node) -> bool:
        """Whether media pass between these two now, both ways."""


class Connections:
    """All ends of all connections."""

    def __init__(self, world: Stage) -> None:
        self._world = world
        self._by_token: dict[str, Connection] = {}
        self._described_count = 0
        self.early_tokens: set[str] = set()
        """Of all that was ever described while it rang."""

    def crashed(self, node: Node) -> None:
        """Its ends are gone, and nobody is told."""
        for connection in (*node.connections.values(), *node.early.values()):
            connection.closed = True
            del self._by_token[connection.token]

    def open(self, node: Node, peer: Did, epoch: int, remote: str | None) -> None:
        """Dial (`remote` is None) or answer what the peer described; a connection that stood to it is closed."""
        self._end_early(node, peer)
        old = node.connections.pop(peer, None)
        if old is not None:
            self._close(old)
        self._described_count += 1
        token = f"sdp{self._described_count}"
        connection = Connection(node, peer, epoch, remote is None, token, remote)
        node.connections[peer] = connection
        self._by_token[token] = connection
        self._world.after(self._world.random.uniform(0.003, 0.03), self._described, connection, node.life)

    def describe_early(self, node: Node, effect: DescribeEarly) -> None:
        """Where there are servers, which is every second time here."""
        assert effect.peer not in node.connections, "nothing is described early to whom there is a connection"
        assert effect.peer not in node.early_epochs, "an early description is made once"
        node.early_epochs[effect.peer] = effect.epoch
        if self._world.random.random() < 0.5:
            return
        self._described_count += 1
        token = f"sdp{self._described_count}"
        self.early_tokens.add(token)
        connection = Connection(node, effect.peer, effect.epoch, dialler=True, token=token)
        node.early[effect.peer] = self._by_token[token] = connection
        self._world.after(self._world.random.uniform(0.003, 0.3), self._described, connection, node.life)
        self._world.after(_EARLY_KEPT_S, self._give_up_early, connection, node.life)

    def _give_up_early(self, connection: Connection, life: int) -> None:
        node = connection.node
        if node.life == life and node.early.get(connection.peer) is connection:
            self._end_early(node, connection.peer)
            self._world.input(node, inputs.Ended(connection.peer, connection.epoch, "nobody answered it"))

    def _end_early(self, node: Node, peer: Did) -> None:
        node.early_epochs.pop(peer, None)
        early = node.early.pop(peer, None)
        if early is not None:
            self._close(early)

    def _described(self, connection: Connection, life: int) -> None:
        node = connection.node
        if connection.closed or node.life != life:
            return
        if node.frozen:
            self._world.after(0.1, self._described, connection, life)
            return
        if self._world.random.random() < 0.01:
            if node.early.get(connection.peer) is connection:
                self._end_early(node, connection.peer)
            self._world.input(node, inputs.Refused(connection.peer, connection.epoch, "no route"))
            return
        self._world.input(node, inputs.Described(connection.peer, connection.epoch, connection.token))

    def apply(self, node: Node, effect: ApplyAnswer) -> None:
        """Take the answer, and try to connect."""
        if node.early_epochs.get(effect.peer) == effect.epoch:
            del node.early_epochs[effect.peer]
            node.connections[effect.peer] = node.early.pop(effect.peer)
        connection = node.connections[effect.peer]
        assert connection.epoch == effect.epoch, "an answer goes to the connection that asked"
        assert connection.remote is None, "an answer is applied once"
        connection.remote = effect.sdp
        self._world.after(self._world.random.uniform(0.02, 0.1), self._try_to_connect, connection, 0)

    def _try_to_connect(self, connection: Connection, attempts: int) -> None:
        """ICE checks: again and again, further and further apart."""
        other = self._by_token.get(connection.remote or "")
        if connection.closed:
            return
        if other is None or not self._world.media_passes(connection.node, other.node):
            if attempts < 7:  # aioice's repetitions of a check: 0.5 s, doubled each time, 63.5 s in all
                self._world.after(0.5 * 2**attempts, self._try_to_connect, connection, attempts + 1)
            return
        for end in (connection, other):
            self._world.after(self._world.random.uniform(0.0, 0.05), self._stands, end, end.node.life)

    def _stands(self, connection: Connection, life: int) -> None:
        node = connection.node
        if connection.closed or connection.up or node.life != life:
            return
        if node.frozen:
            self._world.after(0.1, self._stands, connection, life)
            return
        connection.up = True
        self._world.input(node, inputs.Connected(connection.peer, connection.epoch))

    def hear(self, node: Node) -> None:
        """Tell the machine whose media arrive now."""
        for connection in list(node.connections.values()):
            if not connection.up:
                continue
            other = self._by_token.get(connection.remote or "")
            if other is not None and other.up and self._world.media_passes(node, other.node):
                self._world.input(node, inputs.Heard(connection.peer, connection.epoch, self._world.now))

    def hang_up(self, node: Node, effect: Hangup) -> None:
        """Close the connection of this epoch."""
        if node.early_epochs.get(effect.peer) == effect.epoch:
            self._end_early(node, effect.peer)
            return
        connection = node.connections.get(effect.peer)
        assert connection is not None, "what is hung up was dialled or answered"
        assert connection.epoch == effect.epoch, "the newest connection is hung up"
        del node.connections[effect.peer]
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        connection.closed = True
        del self._by_token[connection.token]
        other = self._by_token.get(connection.remote or "")
        if other is not None and connection.up and self._world.media_passes(connection.node, other.node):
            self._world.after(
                self._world.random.uniform(0.005, 0.1), self._closed_remotely, other, other.node.life
            )

    def _closed_remotely(self, connection: Connection, life: int) -> None:
        node = connection.node
        if connection.closed or node.life != life or node.frozen:
            return
        connection.up = False
        self._world.input(node, inputs.Ended(connection.peer, connection.epoch, "closed by peer"))
