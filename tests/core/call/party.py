"""Sessions with names, a perfect or a bent network between them, and virtual time: for tests that read as a story."""

from collections.abc import Callable

import msgspec

from blink_cli.core.api.events import Event, LinkState
from blink_cli.core.call import inputs
from blink_cli.core.call.effects import CallEffect
from blink_cli.core.call.snapshot import CallView, ParticipantView, PendingView
from blink_cli.core.call.transitions import Phase
from blink_cli.core.ids import CallId, Did
from blink_cli.lab.simulation.invariants import Watch
from blink_cli.lab.simulation.node import Node
from blink_cli.lab.simulation.world import World


def did(name: str) -> Did:
    """The DID of a name; names in alphabetical order dial in that order."""
    return Did(f"did:key:z6Mk{name}")


class Party:
    """A few sessions in one room. Every step is checked as in the simulation."""

    def __init__(self, *names: str, seed: int = 1) -> None:
        self.world = World(seed, [did(name.rstrip("2")) for name in names])
        self.world.weather.delay_s = (0.001, 0.002)
        self.watch = Watch(self.world)
        self.effects: list[tuple[str, CallEffect]] = []
        self.world.on_effect = self._note
        self.names = names
        for node in self.world.nodes:
            node.skew_ms = 0
        self.world.begin()

    def _note(self, node: Node, effect: CallEffect) -> None:
        self.effects.append((self.names[node.index], effect))
        self.watch.check_effect(node, effect)

    def node(self, name: str) -> Node:
        return self.world.nodes[self.names.index(name)]

    # commands

    def run(self, seconds: float) -> None:
        self.world.run(self.world.now + seconds)

    def offer(self, caller: str, *invited: str) -> CallId:
        node = self.node(caller)
        self.world.input(
            node, inputs.Offering(tuple(did(n) for n in invited), caller, self.world.wall_ms(node))
        )
        assert node.machine.current is not None
        return node.machine.current

    def accept(self, name: str, call_id: CallId) -> None:
        node = self.node(name)
        self.world.input(node, inputs.Accepting(call_id, name, self.world.wall_ms(node)))

    def reject(self, name: str, call_id: CallId) -> None:
        node = self.node(name)
        self.world.input(node, inputs.Rejecting(call_id))

    def leave(self, name: str) -> None:
        node = self.node(name)
        self.world.input(node, inputs.Leaving())

    def shutdown(self, name: str) -> None:
        node = self.node(name)
        self.world.input(node, inputs.Ending())

    def show(
        self, name: str, *, muted: bool = False, deafened: bool = False, recording: bool = False
    ) -> None:
        node = self.node(name)
        self.world.input(node, inputs.Showing(muted=muted, deafened=deafened, recording=recording))

    def in_call(self, caller: str, *others: str) -> CallId:
        """They call, everyone accepts, and all are connected."""
        call_id = self.offer(caller, *others)
        self.run(0.05)
        for name in others:
            self.accept(name, call_id)
        self.run(1.5)
        for name in (caller, *others):
            for other in (caller, *others):
                assert name == other or self.link(name, other) is LinkState.CONNECTED
        return call_id

    def cut(self, *groups: tuple[str, ...], signals: bool = True, media: bool = True) -> None:
        self.world.partition(
            [{self.names.index(name) for name in group} for group in groups], signals=signals, media=media
        )

    # what is so now

    def call(self, name: str) -> CallView | None:
        return self.node(name).machine.snapshot(self.world.now).call

    def pending(self, name: str) -> tuple[PendingView, ...]:
        return self.node(name).machine.snapshot(self.world.now).pending

    def participant(self, name: str, other: str) -> ParticipantView:
        call = self.call(name)
        assert call is not None, f"{name} is not in a call"
        return next(p for p in call.participants if p.did == did(other))

    def link(self, name: str, other: str) -> LinkState:
        return self.participant(name, other).link

    def phase(self, name: str, call_id: CallId) -> Phase:
        call = self.node(name).machine._call_table.get(call_id)
        return Phase.GONE if call is None else call.phase

    def events(self, name: str, kind: type | None = None) -> list[Event]:
        return [event for _, event in self.node(name).events if kind is None or isinstance(event, kind)]

    def said(self, name: str) -> list[str]:
        """The events of a session, short: `call_joined`, `participant_left bob left`."""
        return [_short(event) for event in self.events(name)]

    def when(self, name: str, fits: Callable[[Event], bool]) -> float:
        """At which virtual time the first such event was told."""
        return next(at for at, event in self.node(name).events if fits(event))

    def ignored(self, name: str) -> dict[str, int]:
        return dict(self.node(name).machine.snapshot(self.world.now).ignored)


def _short(event: Event) -> str:
    fields = msgspec.to_builtins(event)
    words = [fields.pop("event")]
    words += [fields[key].removeprefix("did:key:z6Mk") for key in ("did", "caller") if key in fields]
    words += [fields[key] for key in ("reason", "link") if key in fields]
    words += [key for key in ("muted", "deafened", "recording") if fields.get(key)]
    return " ".join(words)
