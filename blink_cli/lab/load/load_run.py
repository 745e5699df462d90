"""A load from the first offer to the last goodbye.

find the peers --> the first participant offers the call to them and to the others --> a peer answers --> the others join, one after the other
--> everybody speaks --> the time is up, or Ctrl-C, or every peer has gone --> everybody leaves --> the report
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from blink_cli.app.call.call_waiting import until
from blink_cli.app.profile.contacts import Contacts
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.sfu_server import NamedSfus, parse_sfus
from blink_cli.core.call.room_policy import RoomPolicy, Via
from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.core.ids import MAX_MESH, MAX_PARTICIPANTS, CallId, Did
from blink_cli.lab.load import load_figures
from blink_cli.lab.load.light_group import light_group
from blink_cli.lab.load.light_participant import LightParticipant
from blink_cli.lab.load.load_report import Ending, LoadProcess, LoadReport
from blink_cli.lab.load.peer_finder import NAME, find_peers
from blink_cli.lab.load.send_pace import SendPace
from blink_cli.lab.load.speech_frames import speech_frames
from blink_cli.lab.scenario.case import Sound
from blink_cli.net.host.interfaces import list_interfaces, require_interfaces
from blink_cli.net.link_settings import LinkSettings
from blink_cli.net.signaling.udp_transport import UdpTransport
from blink_cli.runtime.wake_timer import WakeTimer

JOIN_EVERY_S: Final = 0.05
"""Between two joinings: thirty handshakes at once would stop the voice of the one who answers them all."""

JOINED_S: Final = 10.0
"""After the last joining, for the last link."""

BEAT_S: Final = 0.5
LOOK_S: Final = 1.0

FAREWELL_S: Final = 0.25
"""For the copies of the last Leave."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What is asked for."""

    participants: int
    peers: tuple[str, ...]
    """Names."""

    seconds: float
    """How long everybody speaks."""

    sounds: tuple[Sound, ...]
    """What they say, in turn."""

    wait_s: float
    """How long a peer may take to answer."""

    burst: bool
    """Whether all send at the same moment."""


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How a load stands."""

    seconds: float | None
    """For which it was spoken; None while they join."""

    links_connected: int
    links_wanted: int
    packets_sent: int
    packets_received: int
    packets_lost: int
    delay_ms: float | None
    """Median of the last look: one way to here, or half of the round trip."""


def refuse_impossible(plan: LoadPlan, most_in_call: int = MAX_MESH) -> None:
    """Refuse what no call of so many can hold.

    Raises:
        UsageError: Says the limit, and why there is one.

    """
    most = most_in_call - len(plan.peers)
    if not 1 <= plan.participants <= most:
        raise UsageError(
            f"{plan.participants} participants and {len(plan.peers)} called make no call.",
            hint=f"Choose 1 to {max(most, 0)}: an offer and an announce name everybody in the call, and hold {most_in_call}, those who are called included."
            " For more, run several loads, each with a session of its own to call.",
        )


async def run_load(
    plan: LoadPlan,
    contacts: Contacts,
    options: SessionOptions,
    told: Callable[[LoadProgress], None],
    sfus: NamedSfus = NamedSfus(),  # noqa: B008 - a value, and frozen
) -> LoadReport:
    """Call, speak, count, leave. Cancelling it while everybody speaks ends it with the report, and once more without.

    Args:
        plan: What is asked for.
        contacts: The profile's, for names.
        options: Where signals and media go.
        told: Told every second how it stands.
        sfus: How the servers that the options name are reached.

    Raises:
        UsageError: The plan is impossible.
        NotFoundError: A peer is not there, or nobody answered.
        BlinkError: The network or libopus cannot be used.

    """
    refuse_impossible(plan, MAX_PARTICIPANTS if options.sfus else MAX_MESH)
    require_interfaces(options.interfaces, list_interfaces())
    most_s = max(1.0, plan.seconds)
    encoding = asyncio.gather(*(asyncio.to_thread(speech_frames, sound, most_s) for sound in plan.sounds))
    try:
        peers = await find_peers(plan.peers, contacts, options, plan.wait_s)
    finally:
        speeches = await encoding
    if len(peers) < len(plan.peers):
        raise UsageError("Two of the names mean the same peer.", hint="Name each peer once.")
    nicknames = [f"{NAME}-{number}" for number in range(1, plan.participants + 1)]
    transport = UdpTransport(options.group, interfaces=options.interfaces, neighbours=options.neighbours)
    settings = LinkSettings(addresses=options.interfaces)
    urls, takes_any = parse_sfus(options.sfus)
    rooms = RoomPolicy(urls, takes_any=takes_any) if urls else None
    async with light_group(nicknames, speeches, transport, settings, rooms=rooms, sfus=sfus) as members:
        return await _Load(plan, members, peers, told, through_room=rooms is not None).run()


class _Load:
    def __init__(
        self,
        plan: LoadPlan,
        members: Sequence[LightParticipant],
        peers: Mapping[Did, str],
        told: Callable[[LoadProgress], None],
        *,
        through_room: bool,
    ) -> None:
        self._through_room = through_room
        self._plan = plan
        self._members = members
        self._caller = members[0]
        self._peers = peers
        self._told = told
        self._pace = SendPace(burst=plan.burst)
        self._beats = WakeTimer(self._beat)
        self._spoke_s: float | None = None
        self._cpu_s = 0.0

    async def run(self) -> LoadReport:
        via = Via.SFU if self._through_room else Via.AUTO
        call = self._caller.runner.offer([*self._peers, *(member.did for member in self._members[1:])], via)
        for member in self._members:
            self._pace.add(member)
        self._beat()
        try:
            await self._answered(call)
            self._pace.start()
            ended = await self._speak(call)
            self._pace.stop()
            process = self._process()
            seconds = 0.0 if self._spoke_s is None else time.monotonic() - self._spoke_s
            connected = {member.did: member.connected for member in self._members}
        finally:
            self._pace.stop()
            self._beats.cancel()
            await self._leave()
        return LoadReport(
            call=call,
            ended=ended,
            seconds=round(seconds, 3),
            participants=load_figures.participants(self._members, self._peers, connected),
            total=load_figures.total(self._members, self._peers, connected),
            process=process,
        )

    async def _answered(self, call: CallId) -> None:
        """Wait until a peer is connected with the caller."""
        caller = self._caller

        def connected_or_over() -> bool | None:
            if caller.runner.current != call or self._all_refuse():
                return False
            return True if caller.connected else None

        connected = await until(caller.hub, connected_or_over, self._plan.wait_s)
        if connected:
            return
        names = ", ".join(self._peers.values())
        refused = caller.runner.current != call or self._all_refuse()
        said = f"{names} declined." if refused else f"Nobody answered in {self._plan.wait_s:g} s: {names}."
        raise NotFoundError(
            said,
            hint="The offer has been withdrawn. `blink serve --auto-accept` with a file, a tone or silence as input answers strangers, which light participants are;"
            " a session in another call answers nobody.",
        )

    def _all_refuse(self) -> bool:
        call = self._caller.runner.snapshot().call
        views = () if call is None else call.participants
        return all(view.declined for view in views if view.did in self._peers)

    async def _speak(self, call: CallId) -> Ending:
        """Join, speak, and say why it ended."""
        try:
            await self._join(call)
            self._spoke_s = time.monotonic()
            self._cpu_s = time.process_time()
            self._pace.late.clear()
            ends_s = self._spoke_s + self._plan.seconds
            while True:
                now_s = time.monotonic()
                if now_s >= ends_s:
                    return "time"
                if not self._anybody_there():
                    return "peers_left"
                await asyncio.sleep(min(LOOK_S, ends_s - now_s))
                self._look()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or not task.uncancel():
                return "interrupted"
            raise

    async def _join(self, call: CallId) -> None:
        for member in self._members[1:]:
            await asyncio.sleep(JOIN_EVERY_S)
            if not await until(member.hub, lambda member=member: member.accept(call) or None, JOINED_S):  # type: ignore[misc]
                break  # what is missing shows in the report
            self._tell()
        wanted = self._peers.keys()
        patience_s = time.monotonic() + JOINED_S
        while time.monotonic() < patience_s and self._anybody_there():
            if all(member.connected >= wanted for member in self._members):
                return
            await asyncio.sleep(BEAT_S / 5)

    def _anybody_there(self) -> bool:
        """Whether any peer is still in the call for anybody of ours."""
        return any(
            view.present and view.did in self._peers
            for member in self._members
            if (call := member.runner.snapshot().call) is not None
            for view in call.participants
        )

    def _beat(self) -> None:
        self._beats.set(time.monotonic() + BEAT_S)
        for member in self._members:
            member.media.beat()

    def _look(self) -> None:
        now_s = time.monotonic()
        for member in self._members:
            member.media.look(now_s)
        self._tell()

    def _tell(self) -> None:
        links = [link for member in self._members for link in member.media.links.connected]
        totals = [link.totals for member in self._members for link in member.links]
        in_room = [
            stream
            for member in self._members
            for link in member.links
            if link.peer in self._peers and link.room is not None
            for stream in link.room.streams.values()
        ]
        delays = [one.delays_in_ms[-1] for one in links if one.delays_in_ms] or [
            one.round_trips_ms[-1] / 2 for one in links if one.round_trips_ms
        ]
        middle = load_figures.percentiles(delays)
        self._told(
            LoadProgress(
                seconds=None if self._spoke_s is None else time.monotonic() - self._spoke_s,
                links_connected=sum(len(member.connected & self._peers.keys()) for member in self._members),
                links_wanted=len(self._members) * len(self._peers),
                packets_sent=sum(one.packets_sent for one in totals)
                + sum(member.media.room.packets_sent for member in self._members),
                packets_received=sum(one.packets_received for one in totals)
                + sum(one.packets_received for one in in_room),
                packets_lost=sum(one.packets_lost for one in totals)
                + sum(one.packets_lost for one in in_room),
                delay_ms=None if middle is None else middle.p50,
            )
        )

    def _process(self) -> LoadProcess:
        cpu = None
        if self._spoke_s is not None and time.monotonic() - self._spoke_s >= 1.0:
            cpu = round((time.process_time() - self._cpu_s) / (time.monotonic() - self._spoke_s), 4)
        return LoadProcess(cpu=cpu, send_late_ms=self._pace.late.percentiles())

    async def _leave(self) -> None:
        for member in self._members:
            member.runner.shut_down()
        await asyncio.sleep(FAREWELL_S)
