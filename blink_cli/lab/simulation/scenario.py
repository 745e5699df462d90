"""One seed's story: who is there, what their users do, what the network does to them, and how it must end."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from blink_cli.core.api.events import Event, IncomingCall
from blink_cli.core.call import inputs
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.room_policy import RoomPolicy, Via
from blink_cli.core.ids import CallId, Did
from blink_cli.lab.simulation.invariants import Watch, check_over, check_pending, check_rooms, check_settled
from blink_cli.lab.simulation.node import Node
from blink_cli.lab.simulation.world import MachineFactory, World

_SIZES = (2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 8)
_BIG = 12

WHOLE_AGAIN_S = 8.0
"""So long after the last fault every pair must be connected: a lost announce, a backoff and an ICE check may add up."""

FORGOTTEN_S = 45.0
"""So long after it nobody may list who vanished: 30 s of patience, and what was under way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a seed came to."""

    seed: int
    sessions: int
    steps: int
    """Inputs given to machines."""
    longest_call: int
    """The most sessions that were in one call at the end of the faults."""


class SeedFailedError(AssertionError):
    """Names the seed and how to see it again."""


def run_seed(
    seed: int,
    make_machine: MachineFactory = CallMachine,
    trace: Callable[[str], None] | None = None,
    *,
    rooms: bool | None = None,
) -> Outcome:
    """Play one seed from beginning to end.

    Args:
        seed: Decides everything.
        make_machine: Makes the machines.
        trace: Takes a line for everything that happens.
        rooms: Whether there are SFUs; None: with every second seed. It is the same story but for what follows from them.

    Raises:
        SeedFailedError: A rule was broken; caused by what broke it.

    """
    try:
        with_rooms = seed % 2 == 1 if rooms is None else rooms
        return _Scenario(seed, make_machine, trace, with_rooms=with_rooms).run()
    except Exception as error:
        raise SeedFailedError(
            f"seed {seed}: {error} -- replay it with: scripts/simulate --seed {seed}"
        ) from error


def names(count: int) -> list[Did]:
    """So many DIDs, in ascending order."""
    return [Did(f"did:key:z6Mk{chr(ord('a') + index) * 4}") for index in range(count)]


class _Scenario:
    def __init__(
        self,
        seed: int,
        make_machine: MachineFactory,
        trace: Callable[[str], None] | None,
        *,
        with_rooms: bool,
    ) -> None:
        plan = random.Random(seed * 2 + 1)
        count = _BIG if plan.random() < 0.01 else plan.choice(_SIZES)
        dids = names(count)
        if plan.random() < 0.15:
            dids.append(plan.choice(dids))
        plan.shuffle(dids)
        self.plan = plan
        self.world = World(seed, dids, make_machine, trace)
        self.watch = Watch(self.world)
        self.world.on_event = self.user_hears
        self.calm = False
        self.rooms = random.Random(seed * 2 + 7**9)
        """Dice of their own: a story without rooms is as it was before there were any."""
        self.with_rooms = with_rooms
        self.end = self.world.now + plan.uniform(6, 24 if count <= 4 else 12)

    def run(self) -> Outcome:
        world, plan = self.world, self.plan
        world.begin()
        if self.with_rooms:
            self.plan_rooms()
        for node in world.nodes:
            self.plan_user(node)
        for node in world.nodes:
            if plan.random() < 0.15:
                world.set_clock(node, self.wrong_by_s())
        self.plan_faults()
        if plan.random() < 0.5:
            world.weather.loss = plan.choice((0.02, 0.1, 0.2, 0.3))
        world.run(self.end)
        self.end_faults()
        world.run(self.end + WHOLE_AGAIN_S)
        check_settled(world, ghosts=True)
        if plan.random() < 0.2:
            world.run(self.end + FORGOTTEN_S)
            check_settled(world, ghosts=False)
            check_pending(world)
            check_rooms(world)
        calls = Counter(node.machine.current for node in world.nodes if node.alive and node.machine.current)
        for node in world.nodes:
            if node.alive:
                world.input(node, inputs.Ending())
        world.run(world.now + 1.0)
        check_over(world)
        return Outcome(world.seed, len(world.nodes), world.steps, max(calls.values(), default=0))

    # users

    def plan_user(self, node: Node) -> None:
        self.world.after(self.plan.expovariate(1 / 4), self.user_acts, node, node.life)

    def user_acts(self, node: Node, life: int) -> None:
        if node.life != life or self.calm:
            return
        self.plan_user(node)
        if node.frozen or node.machine._stopped:
            return
        machine, dice = node.machine, self.plan.random()
        pending = machine.pending
        if machine.current is None and not pending:
            if dice < 0.5:
                self.offer(node)
            elif dice < 0.55:
                self.quit(node)
        elif pending and dice < 0.35:
            self.accept(node, self.plan.choice(pending))
        elif machine.ringing and dice < 0.5:
            self.world.input(node, inputs.Rejecting(self.plan.choice(machine.ringing)))
        elif machine.current is not None:
            self.act_in_call(node, dice)

    def act_in_call(self, node: Node, dice: float) -> None:
        world = self.world
        if dice < 0.65:
            world.input(node, inputs.Leaving())
        elif dice < 0.7:
            self.offer(node)
        elif dice < 0.95:
            flags = (
                self.plan.choice((False, True)),
                self.plan.choice((False, True)),
                self.plan.choice((False, True)),
            )
            node.flags = flags
            world.input(node, inputs.Showing(muted=flags[0], deafened=flags[1], recording=flags[2]))
        else:
            self.quit(node)

    def offer(self, node: Node) -> None:
        others = sorted({other.did for other in self.world.nodes} - {node.did})
        if not others:
            return
        whom = (
            others
            if self.plan.random() < 0.5
            else self.plan.sample(others, self.plan.randint(1, len(others)))
        )
        self.world.input(
            node, inputs.Offering(tuple(whom), "caller", self.world.wall_ms(node), self.via(node))
        )

    def via(self, node: Node) -> Via:
        """What its user chose for the call."""
        if not node.policy.urls:
            return Via.AUTO
        return self.rooms.choice((Via.AUTO, Via.AUTO, Via.SFU, Via.MESH))

    def accept(self, node: Node, call_id: CallId) -> None:
        self.world.input(node, inputs.Accepting(call_id, "comer", self.world.wall_ms(node)))

    def quit(self, node: Node) -> None:
        """Ended cleanly, and started again."""
        world = self.world
        world.input(node, inputs.Ending())
        world.after(0.5, self.go_down, node, node.life, self.plan.uniform(1.5, 6))

    def user_hears(self, node: Node, event: Event) -> None:
        if not isinstance(event, IncomingCall) or self.calm:
            return
        dice = self.plan.random()
        hesitates_s = self.plan.choice((0.0, 0.3, 2.0)) * self.plan.random()
        if dice < 0.65:
            self.world.after(hesitates_s, self.decide, node, node.life, event.call_id, "accept")
        elif dice < 0.8:
            self.world.after(hesitates_s, self.decide, node, node.life, event.call_id, "reject")

    def decide(self, node: Node, life: int, call_id: CallId, decision: str) -> None:
        if node.life != life or node.frozen or node.machine._stopped or call_id not in node.machine.ringing:
            return
        if decision == "accept":
            self.accept(node, call_id)
        else:
            self.world.input(node, inputs.Rejecting(call_id))

    # faults

    def plan_rooms(self) -> None:
        """Who may use which SFU, who is of a build that knows none, and what happens to the servers."""
        rooms, world = self.rooms, self.world
        urls = rooms.choice((("ws://a",), ("ws://a", "ws://b")))
        policy = RoomPolicy(urls, above=rooms.choice((1, 2, 2, 3, 8)))
        for node in world.nodes:
            dice = rooms.random()
            if dice < 0.1:
                node.knows_rooms = False
            elif dice < 0.25:
                world.let_use(node, RoomPolicy(takes_any=True, above=policy.above))
            elif dice < 0.9:
                world.let_use(node, policy)
        world.sfus.silences = rooms.choice((0.0, 0.1, 0.5))
        for _ in range(rooms.choice((0, 0, 1, 2, 3))):
            world.at(
                rooms.uniform(world.now, self.end), rooms.choice((self.kill_sfu, self.cut_from_sfu)), urls
            )

    def kill_sfu(self, urls: tuple[str, ...]) -> None:
        url = self.rooms.choice(urls)
        self.world.sfus.kill(url)
        self.world.after(self.rooms.choice((0.1, 2.0, 20.0)), self.world.sfus.restart, url)

    def cut_from_sfu(self, urls: tuple[str, ...]) -> None:
        del urls
        self.world.sfus.cut(self.rooms.choice(self.world.nodes))

    def plan_faults(self) -> None:
        plan, world = self.plan, self.world
        kinds = (
            self.change_weather,
            self.partition,
            self.crash,
            self.freeze,
            self.block_one_plane,
            self.stop_multicast,
        )
        for _ in range(plan.choice((0, 1, 2, 3, 5))):
            world.at(plan.uniform(world.now, self.end), plan.choice(kinds))

    def change_weather(self) -> None:
        weather, plan = self.world.weather, self.plan
        weather.loss = plan.choice((0.0, 0.05, 0.2, 0.4))
        weather.duplication = plan.choice((0.0, 0.0, 0.1, 0.3))
        weather.delay_s = plan.choice(((0.0005, 0.003), (0.01, 0.05), (0.02, 0.4), (0.02, 1.5)))

    def partition(self) -> None:
        plan, world = self.plan, self.world
        sides: list[set[int]] = [set(), set()]
        for node in world.nodes:
            plan.choice(sides).add(node.index)
        world.partition(sides)
        world.after(plan.choice((0.5, 2.0, 5.0, 20.0)) * plan.uniform(0.5, 1.0), world.heal)

    def block_one_plane(self) -> None:
        """Signals pass and media does not, or the other way round."""
        plan, world = self.plan, self.world
        alone = {plan.choice(world.nodes).index}
        rest = {node.index for node in world.nodes} - alone
        media = plan.random() < 0.5
        world.partition([alone, rest], signals=not media, media=media)
        world.after(plan.uniform(1.0, 15.0), world.heal)

    def stop_multicast(self) -> None:
        """At one host or at several, for a while or until the end: state must reach them all the same."""
        world = self.world
        world.deafen({node.index for node in world.nodes if self.plan.random() < 0.5})
        if self.plan.random() < 0.5:
            world.after(self.plan.uniform(1.0, 15.0), world.heal)

    def set_clock(self) -> None:
        """Somebody's wall clock, which names its lives: by seconds, or by years, in both directions."""
        self.world.set_clock(self.plan.choice(self.world.nodes), self.wrong_by_s())

    def wrong_by_s(self) -> int:
        return self.plan.choice((1, 90, 3_600, 86_400, 20 * 365 * 86_400)) * self.plan.choice((-1, 1))

    def crash(self) -> None:
        node = self.plan.choice(self.world.nodes)
        self.go_down(node, node.life, self.plan.choice((1.5, 4.0, 60.0)))
        if self.plan.random() < 0.5:  # its machine starts with the right time
            self.world.set_clock(node, -node.skew_ms // 1000)

    def go_down(self, node: Node, life: int, for_s: float) -> None:
        if node.alive and node.life == life:
            self.world.crash(node)
            self.world.after(for_s, self.restart, node)

    def restart(self, node: Node) -> None:
        if not self.calm and not node.alive:
            self.world.restart(node)
            self.plan_user(node)

    def freeze(self) -> None:
        node = self.plan.choice(self.world.nodes)
        if node.alive and not node.frozen:
            self.world.freeze(node)
            self.world.after(self.plan.choice((0.3, 2.0, 5.0, 35.0)), self.world.thaw, node, node.life)

    def end_faults(self) -> None:
        world = self.world
        self.calm = True
        deaf = {target for _, target in world.blocked_multicast}
        world.heal()
        world.sfus.mend()
        if self.plan.random() < 0.5:
            world.deafen(deaf)
        world.weather.loss = self.plan.choice((0.0, 0.0, 0.05, 0.1))
        world.weather.duplication = 0.0
        world.weather.delay_s = (0.0005, 0.01)
        for node in world.nodes:
            if node.alive and node.frozen:
                world.thaw(node, node.life)
