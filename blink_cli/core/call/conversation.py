"""This session's part in the call that it is in: it announces itself, keeps a link to everyone present, notices who is missing."""

import math
from dataclasses import dataclass

from blink_cli.core.call.announcing import Announcer
from blink_cli.core.call.dialling import Epochs
from blink_cli.core.call.link import Link
from blink_cli.core.call.membership import KnownCall, Member, News
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.call.transitions import LinkPhase, Phase, Turn
from blink_cli.core.call_effects import (
    CallEffect,
    Emit,
    SendToCall,
    SendToPeer,
    StartMedia,
    StopMedia,
    StopSending,
)
from blink_cli.core.events import (
    CallJoined,
    EndReason,
    LeaveReason,
    LinkState,
    ParticipantBusy,
    ParticipantDeclined,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantStateChanged,
    RecordingStarted,
    RecordingStopped,
)
from blink_cli.core.names import Did
from blink_cli.core.signals import Announce, Hearing, Leave, Offer, Redial, SessionDescription


@dataclass(slots=True)
class OwnState:
    """What this session shows to everyone it is in a call with."""

    muted: bool = False
    deafened: bool = False
    recording: bool = False


@dataclass(slots=True)
class _Missing:
    """A participant of which nothing is heard, and that may have crashed and forgotten the call."""

    offer_at: float
    """When this session's turn comes to offer it the call again; infinity when that is done."""


@dataclass(slots=True)
class _Reception:
    loss_permille: int = 0
    longest_burst_packets: int = 0


class Conversation:
    """From joining to leaving. Its effects go into the outbox; whether it should end, the machine asks `ending`."""

    def __init__(  # noqa: PLR0917 - made in one place, by the machine
        self,
        call: KnownCall,
        nickname: str,
        state: OwnState,
        epochs: Epochs,
        settings: CallSettings,
        out: list[CallEffect],
        now: float,
        wall_ms: int,
    ) -> None:
        self.call = call
        self.instance = call.next_instance(wall_ms)
        call.own_instance = self.instance
        epochs.raise_to(self.instance)
        self.since_s = now
        self.since_wall_ms = wall_ms
        self.links = {
            did: Link(call.call_id, call.own, did, self.instance, epochs, settings, out)
            for did in call.members
        }
        self.nickname = nickname
        self._state = state
        self._epochs = epochs
        self._settings = settings
        self._out = out
        self._announcer = Announcer(settings, now)
        self._accompanied = False
        self._counted_in_at = -math.inf
        """When somebody's announce last showed that it knows this life."""
        self._recorders: set[Did] = set()
        """Of the others, who was told to record."""
        self._missing: dict[Did, _Missing] = {}
        self._reception: dict[Did, _Reception] = {}

    # coming and going

    def join(self, now: float) -> None:
        """Start the source track, meet everyone who is already here, announce."""
        self._out.append(StartMedia(self.call.call_id))
        self._out.append(Emit(CallJoined(call_id=self.call.call_id)))
        for member in self.call.present:
            self._meet(member, now)
            if member.muted or member.deafened or member.recording:
                self._tell_state(member)
        self._announcer.hurry(now)
        self._announce(now)

    def invite(self) -> None:
        """Offer the call to everyone invited."""
        offer = self._offer()
        for did in self.call.members:
            self._out.append(SendToPeer(did, offer, self.call.call_id))

    def close(self) -> None:
        """Drop every link and stop the media; what the others are told is the machine's business."""
        for link in self.links.values():
            link.drop()
        for did in sorted(self._recorders):
            self._tell_recording(did, recording=False, reason="the call ended")
        self._out.append(StopSending(self.call.call_id, None))
        self._out.append(StopMedia(self.call.call_id))

    def ending(self, now: float) -> tuple[Turn, EndReason] | None:
        """Whether the call is over for want of others, and why."""
        if self._accompanied:
            if self.call.abandoned:
                return Turn.EVERYONE_IS_GONE, EndReason.EMPTY
            return None
        if self.call.phase is Phase.OFFERING:
            if all(member.declined for member in self.call.members.values()):
                return Turn.EVERYONE_DECLINES, EndReason.DECLINED
            return None
        if now >= self.since_s + self._settings.joining_patience_s:
            return Turn.EVERYONE_IS_GONE, EndReason.EMPTY
        return None

    # what the others say

    def heard_announce(self, member: Member, announce: Announce, now: float) -> bool:
        """A participant announced itself; returns whether it was news worth believing."""
        news = self.call.heard_announce(member, announce, now)
        if news is News.STALE:
            return False
        self._act_on(news, member, now)
        if member.shows(announce):
            self._tell_state(member)
        self._look_for_ourselves(announce, now)
        return True

    def heard_leave(self, member: Member, leave: Leave, now: float) -> bool:
        """A participant left; it is not dialled before it announces a newer life."""
        was_present = self.call.heard_leave(member, leave, now)
        if leave.instance >= member.instance:
            self._forget_missing(member.did)
        if was_present:
            self._dismiss(member, LeaveReason.LEFT)
        return was_present

    def heard_withdrawal(self, caller: Member) -> bool:
        """The caller is gone for good."""
        self._forget_missing(caller.did)
        if not caller.leaves_for_good():
            return False
        self._dismiss(caller, LeaveReason.LEFT)
        return True

    def heard_decline(self, member: Member) -> bool:
        """Somebody does not come. Being here speaks louder: an old Decline may arrive late."""
        if member.present or member.declined:
            return False
        member.declined = member.delivered = True
        member.busy = False
        self._out.append(StopSending(self.call.call_id, member.did))
        self._out.append(Emit(ParticipantDeclined(call_id=self.call.call_id, did=member.did)))
        return True

    def heard_busy(self, member: Member) -> bool:
        """It rings there, in the middle of another call."""
        if member.present or member.declined or member.busy:
            return False
        member.busy = member.delivered = True
        self._out.append(Emit(ParticipantBusy(call_id=self.call.call_id, did=member.did)))
        return True

    def heard_description(self, member: Member, description: SessionDescription, now: float) -> bool:
        """One half of a dialling. Whoever describes itself to our present life is in the call."""
        if not self._believe_life(member, description.from_instance, description.to_instance, now):
            return False
        link = self.links[member.did]
        if description.kind == "offer":
            return link.remote_offer(description.epoch, description.sdp, now)
        return link.remote_answer(description.epoch, description.sdp)

    def heard_redial(self, member: Member, redial: Redial, now: float) -> bool:
        """The side that does not dial asks for another dialling."""
        if not self._believe_life(member, redial.from_instance, redial.to_instance, now):
            return False
        return self.links[member.did].redial_asked(redial.epoch, now)

    # what this session says and does

    @property
    def hears(self) -> tuple[Hearing, ...]:
        """How everyone it takes to be in the call is received here."""
        return tuple(self._hearing(member) for member in self.call.present)

    def state_changed(self, now: float) -> None:
        """Muted, deafened or recording changed: everyone is told at once."""
        self._out.append(
            Emit(
                ParticipantStateChanged(
                    call_id=self.call.call_id,
                    did=self.call.own,
                    muted=self._state.muted,
                    deafened=self._state.deafened,
                    recording=self._state.recording,
                )
            )
        )
        self._announcer.hurry(now)
        self._announce(now)

    def heard_own_leave(self, instance: int, now: float) -> None:
        """Another session of this identity, or an earlier life of ours, has left in a newer instance than we came in."""
        if instance > self.instance and self._counted_in_at == -math.inf:
            self._be_reborn(now)

    def insist(self, now: float) -> None:
        """An older session of this identity is heard: make sure that it hears us."""
        self._announcer.reply(now)

    def reception(self, peer: Did, loss_permille: int, longest_burst_packets: int) -> None:
        """How a peer's packets arrive here; the next announce says it."""
        self._reception[peer] = _Reception(
            min(max(loss_permille, 0), 1000), min(max(longest_burst_packets, 0), 2**16 - 1)
        )

    def link_stands(self, peer: Did, epoch: int, now: float) -> bool:
        """The media layer connected."""
        if not self.links[peer].connected(epoch, now):
            return False
        if self.call.phase is not Phase.IN_CALL:
            self.call.turn(Turn.FIRST_LINK_STANDS)
        return True

    def media_heard(self, peer: Did, epoch: int, now: float) -> bool:
        """Some RTP or RTCP of this peer arrived."""
        if not self.links[peer].heard_media(epoch, now):
            return False
        self._found(peer)
        return True

    # time

    def next_wake(self) -> float:
        """When something is due."""
        due = self._announcer.due_at
        members = self.call.members
        for did, link in self.links.items():
            if link.phase is LinkPhase.NONE:
                continue
            due = min(due, link.next_wake())
            if members[did].present:
                due = min(due, link.heard_at + self._settings.lost_leaves_s)
        for missing in self._missing.values():
            due = min(due, missing.offer_at)
        if self.call.rumours:
            due = min(due, self.call.rumours_end_at)
        if not self._accompanied and self.call.phase is Phase.JOINING:
            due = min(due, self.since_s + self._settings.joining_patience_s)
        return due

    def wake(self, now: float) -> None:
        """Announce, watch the links, let go of who is lost for too long, offer the call again to who is missing."""
        self.call.forget_old_rumours(now)
        for did, link in self.links.items():
            member = self.call.members[did]
            link.wake(now)
            silent = link.awaits_sign and now >= link.heard_at + self._settings.peer_silence_s
            if silent and did not in self._missing:
                self._missing[did] = _Missing(now + self._turn_to_offer() * self._settings.reoffer_step_s)
            if member.present and now >= link.heard_at + self._settings.lost_leaves_s:
                member.gone()
                self._dismiss(member, LeaveReason.LOST)
                self._missing[did] = _Missing(now)
        for did, missing in self._missing.items():
            if now >= missing.offer_at:
                missing.offer_at = math.inf
                self._out.append(SendToPeer(did, self._offer(), self.call.call_id))
        if now >= self._announcer.due_at:
            self._announce(now)

    def excuse(self, slept_s: float) -> None:
        """This session was stopped for so long: nobody's silence in that time counts."""
        for link in self.links.values():
            link.excuse(slept_s)

    # the moves

    def _believe_life(self, member: Member, from_instance: int, to_instance: int, now: float) -> bool:
        if to_instance != self.instance:
            return False
        news = self.call.heard_life(member, from_instance, now)
        if news is News.STALE:
            return False
        self._act_on(news, member, now)
        return True

    def _look_for_ourselves(self, announce: Announce, now: float) -> None:
        for hearing in announce.hears:
            if hearing.did != self.call.own:
                continue
            if hearing.instance == self.instance:
                self._counted_in_at = now
                return
            if hearing.instance > self.instance and self._is_passed_over(hearing, now):
                self._be_reborn(now)
        self._announcer.reply(now)

    def _is_passed_over(self, hearing: Hearing, now: float) -> bool:
        """Whether the newer life that somebody knows of us is an old one, and not another session that took the call over.

        It is when nobody ever counted this life in; or when it is believed to have left, and nobody counts us in now.
        """
        if hearing.link == LinkState.ABSENT.value:
            return now >= self._counted_in_at + self._settings.unheeded_s
        return self._counted_in_at == -math.inf

    def _be_reborn(self, now: float) -> None:
        """The others know a newer life of ours, from before a crash or from a session whose clock is ahead; we came later."""
        instance = self.call.next_instance(self.since_wall_ms)
        if instance == self.instance + 1:
            return  # what they claim lies too far ahead to be true
        self.instance = self.call.own_instance = instance
        self._epochs.raise_to(instance)
        for did, link in self.links.items():
            link.drop()
            link.own_instance = instance
            if self.call.members[did].present:
                link.begin(self.call.members[did].instance, now)
        self._announcer.hurry(now)

    def _act_on(self, news: News, member: Member, now: float) -> None:
        link = self.links[member.did]
        match news:
            case News.JOINED:
                self._meet(member, now)
            case News.REBORN:
                link.drop()
                link.begin(member.instance, now)
            case _:
                link.heard_signal(now)
                link.wake(now)
        self._found(member.did)

    def _meet(self, member: Member, now: float) -> None:
        self._accompanied = True
        member.delivered = True
        self._out.append(
            Emit(ParticipantJoined(call_id=self.call.call_id, did=member.did, nickname=member.nickname))
        )
        self.links[member.did].begin(member.instance, now)

    def _dismiss(self, member: Member, reason: LeaveReason) -> None:
        self.links[member.did].drop()
        self._reception.pop(member.did, None)
        self._out.append(Emit(ParticipantLeft(call_id=self.call.call_id, did=member.did, reason=reason)))
        self._tell_recording(member.did, recording=False, reason="left the call")

    def _found(self, did: Did) -> None:
        if not self.links[did].awaits_sign:
            self._forget_missing(did)

    def _forget_missing(self, did: Did) -> None:
        missing = self._missing.pop(did, None)
        if missing is not None and missing.offer_at == math.inf:
            self._out.append(StopSending(self.call.call_id, did))

    def _turn_to_offer(self) -> int:
        """How many others, not missing themselves, come before us in offering the call again."""
        return sum(
            1
            for member in self.call.members.values()
            if member.present and member.did < self.call.own and not self.links[member.did].awaits_sign
        )

    def _offer(self) -> Offer:
        return Offer(self.call.call_id, self.call.group_key, self.call.participants, self.nickname)

    def _announce(self, now: float) -> None:
        announce = Announce(
            self.instance,
            self._announcer.take(now),
            self.nickname,
            self._state.muted,
            self._state.deafened,
            self._state.recording,
            self.hears + self._unheeded(now),
        )
        self._out.append(SendToCall(self.call.call_id, announce, copies=0))

    def _unheeded(self, now: float) -> tuple[Hearing, ...]:
        """Who announces a life that we believe is over learns which life we believe it left."""
        since = now - self._settings.unheeded_s
        return tuple(
            Hearing(member.did, LinkState.ABSENT.value, member.instance)
            for member in self.call.members.values()
            if member.unheeded_at > since and not member.present
        )

    def _hearing(self, member: Member) -> Hearing:
        reception = self._reception.get(member.did)
        state = self.links[member.did].state.value
        if reception is None:
            return Hearing(member.did, state, member.instance)
        return Hearing(
            member.did, state, member.instance, reception.loss_permille, reception.longest_burst_packets
        )

    def _tell_state(self, member: Member) -> None:
        self._out.append(
            Emit(
                ParticipantStateChanged(
                    call_id=self.call.call_id,
                    did=member.did,
                    muted=member.muted,
                    deafened=member.deafened,
                    recording=member.recording,
                )
            )
        )
        self._tell_recording(member.did, recording=member.recording, reason="stopped")

    def _tell_recording(self, did: Did, *, recording: bool, reason: str) -> None:
        if recording and did not in self._recorders:
            self._recorders.add(did)
            self._out.append(Emit(RecordingStarted(did=did, path=None)))
        elif not recording and did in self._recorders:
            self._recorders.discard(did)
            self._out.append(Emit(RecordingStopped(did=did, path=None, reason=reason)))
