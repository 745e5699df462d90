"""What this session announces in its call, as the plain announce, as that of rooms, or as both."""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from blink_cli.core.call.announcing import Announcer
from blink_cli.core.call.attendance import Attendance
from blink_cli.core.call.call_room import CallRoom
from blink_cli.core.call.effects import SendToCall
from blink_cli.core.call.facts import LinkState
from blink_cli.core.call.joining import Joining
from blink_cli.core.call.link import Link
from blink_cli.core.call.membership import Member
from blink_cli.core.call.recognition import Recognition
from blink_cli.core.call.room_announcing import write_room_announce
from blink_cli.core.call.shown_states import OwnState
from blink_cli.core.ids import Did
from blink_cli.core.signaling.signals import Announce, PeerReception


@dataclass(slots=True)
class _Reception:
    loss_permille: int = 0
    longest_burst_packets: int = 0


class OwnAnnounces:
    """Of one joining. Its effects go into the outbox; moments are monotonic seconds."""

    def __init__(  # noqa: PLR0917 - made in one place, by the call
        self,
        joining: Joining,
        nickname: str,
        state: OwnState,
        room: CallRoom,
        schedule: Announcer,
        recognition: Recognition,
        attendance: Attendance,
    ) -> None:
        """Have said nothing.

        Args:
            joining: Whose.
            nickname: What this session calls itself.
            state: What it shows, at any moment.
            room: How it stands to the room.
            schedule: Of the announces; numbers them.
            recognition: Whether the others know this session.
            attendance: By which those are told who cannot read announces.

        """
        self.nickname: Final = nickname
        self._call = joining.call
        self._links = joining.links
        self._settings = joining.settings
        self._out = joining.out
        self._state = state
        self._room = room
        self._schedule = schedule
        self._recognition = recognition
        self._attendance = attendance
        self._reception: dict[Did, _Reception] = {}

    def received(self, peer: Did, loss_permille: int, longest_burst_packets: int) -> None:
        """How a peer's packets arrive here; the next announce says it."""
        self._reception[peer] = _Reception(
            min(max(loss_permille, 0), 1000), min(max(longest_burst_packets, 0), 2**16 - 1)
        )

    def forget(self, peer: Did) -> None:
        """It is not in the call any more."""
        self._reception.pop(peer, None)

    def hears(self, now: float) -> tuple[PeerReception, ...]:
        """How everyone it takes to be in the call is received here."""
        return tuple(self._hearing(member, now) for member in self._call.present)

    def say(self, now: float, *, copies: int = 0) -> None:
        """Announce now, and `copies` times more what is said of the room."""
        repeats_news = self._schedule.repeats_news(now)
        call, keys = self._call, self._call.keys
        if keys.lapsed or (keys.current.epoch and not self._recognition.was_counted_in):
            # The others may have another key by now: they give it to us when they hear us.
            self._attendance.tell(now)
        if keys.lapsed:
            self._schedule.take(now)
            return
        announce = Announce(
            call.own_incarnation,
            self._schedule.take(now),
            self.nickname,
            self._state.muted,
            self._state.deafened,
            self._state.recording,
            self.hears(now),
        )
        straight = repeats_news and not self._is_large
        if self._is_said_plainly:
            plainly = replace(announce, hears=announce.hears + self._unheeded(now))
            self._out.append(
                SendToCall(call.call_id, plainly, copies=0, straight=straight, key_id=keys.current_id)
            )
        if self._room.speaks:
            since = now - self._settings.unheeded_s
            said = write_room_announce(
                call,
                replace(announce, sequence=self._schedule.number()),
                self._heard_in_room(now),
                [did for did, member in call.members.items() if member.is_unheeded(since)],
                replace(self._room.said(), video=self._state.video),
            )
            self._out.append(
                SendToCall(call.call_id, said, copies=copies, straight=straight, key_id=keys.current_id)
            )

    def _heard_in_room(self, now: float) -> frozenset[Did]:
        """Who is told that it is heard there: nobody, while the room is not relied on."""
        if now < self._room.trusted_at:
            return frozenset()
        return frozenset(did for did, link in self._links.items() if link.heard_in_room)

    @property
    def _is_large(self) -> bool:
        """Whether builds that know no room cannot be in it: its offer names too many."""
        return len(self._call.participants) > self._settings.max_mesh

    @property
    def _is_said_plainly(self) -> bool:
        """Whether somebody who is in it, or may come, may know no other announce."""
        if not self._room.speaks:
            return True
        return not self._is_large and any(
            member.room is None and not member.is_out for member in self._call.members.values()
        )

    def _unheeded(self, now: float) -> tuple[PeerReception, ...]:
        """Who announces a life that we believe is over learns which life we believe it left."""
        since = now - self._settings.unheeded_s
        return tuple(
            PeerReception(member.did, LinkState.ABSENT.value, member.incarnation)
            for member in self._call.members.values()
            if not member.present and member.is_unheeded(since)
        )

    def _hearing(self, member: Member, now: float) -> PeerReception:
        reception = self._reception.get(member.did)
        state = self._shown_link(self._links[member.did], now).value
        if reception is None:
            return PeerReception(member.did, state, member.incarnation)
        return PeerReception(
            member.did, state, member.incarnation, reception.loss_permille, reception.longest_burst_packets
        )

    def _shown_link(self, link: Link, now: float) -> LinkState:
        """To the others. That no link is wanted need not be known to them: who is heard is counted in, who is not is lost."""
        if link.wanted:
            return link.state
        silent = now >= link.heard_at + self._settings.peer_silence_s
        return LinkState.LOST if silent else LinkState.CONNECTING
