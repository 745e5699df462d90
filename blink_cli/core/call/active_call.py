"""This session's part in the call that it is in: it announces itself, keeps a link to everyone present, notices who is missing."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from blink_cli.core.call.announcing import Announcer
from blink_cli.core.call.dialling import Epochs
from blink_cli.core.call.effects import CallEffect, SendToCall, SendToPeer, StartMedia, StopMedia, StopSending
from blink_cli.core.call.facts import (
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
from blink_cli.core.call.link import Link
from blink_cli.core.call.membership import CallRecord, Member, News
from blink_cli.core.call.recognition import Recognition
from blink_cli.core.call.rekeying import Rekeying, current_of, told_key
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.call.transitions import LinkPhase, Phase, Trigger
from blink_cli.core.fact import Emit
from blink_cli.core.ids import Did
from blink_cli.core.signaling.signals import (
    Announce,
    Attending,
    Leave,
    NewKey,
    Offer,
    Out,
    PeerReception,
    Redial,
    SessionDescription,
)

_LASTING: Final = (LinkPhase.CONNECTED, LinkPhase.NONE)
"""In these a sign of life changes nothing but the time until the next is missed."""


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


class ActiveCall:
    """From joining to leaving. Its effects go into the outbox; whether it should end, the machine asks `ending`."""

    def __init__(  # noqa: PLR0917 - made in one place, by the machine
        self,
        call: CallRecord,
        nickname: str,
        state: OwnState,
        epochs: Epochs,
        settings: CallSettings,
        out: list[CallEffect],
        entropy: Callable[[int], bytes],
        now: float,
        wall_ms: int,
        unlinked: frozenset[Did] = frozenset(),
    ) -> None:
        self.call = call
        self.incarnation = call.next_incarnation(wall_ms)
        call.own_incarnation = self.incarnation
        epochs.raise_to(self.incarnation)
        self.since_s = now
        self.since_wall_ms = wall_ms
        self.links = {
            did: Link(
                call.call_id,
                call.own,
                did,
                self.incarnation,
                epochs,
                settings,
                out,
                wanted=did not in unlinked,
            )
            for did in call.members
        }
        self.nickname = nickname
        self._state = state
        self._epochs = epochs
        self._settings = settings
        self._out = out
        self._announcer = Announcer(settings, now)
        self._rekeying = Rekeying(
            call, settings, out, entropy, lambda did: self.links[did].awaits_sign, now=now
        )
        self._attended_at = -math.inf
        """When those who may come were last told that this session is here."""
        self._attend_at = math.inf
        """When they are to be told because one of them asks."""
        self._accompanied = False
        self._recognition = Recognition(settings)
        self._patience_ends_at = -math.inf
        """When something is due because somebody is silent, or lacks the key; or later than that."""
        self._nothing_sooner = False
        """Whether what was heard since that was worked out has only put it off."""
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

    def ending(self, now: float) -> tuple[Trigger, EndReason] | None:
        """Whether the call is over for want of others, and why."""
        if self._accompanied:
            if self.call.abandoned and now >= self._others_heard_by:
                return Trigger.EVERYONE_IS_GONE, EndReason.EMPTY
            return None
        if self.call.phase is Phase.OFFERING:
            if all(member.declined for member in self.call.members.values()):
                return Trigger.EVERYONE_DECLINES, EndReason.DECLINED
            return None
        if now >= self.since_s + self._settings.joining_patience_s:
            return Trigger.EVERYONE_IS_GONE, EndReason.EMPTY
        return None

    @property
    def _others_heard_by(self) -> float:
        """By when everyone who was here when we came has spoken: before that a Leave of the one we know proves nothing."""
        if all(member.incarnation or member.declined for member in self.call.members.values()):
            return -math.inf
        return self.since_s + self._settings.newcomer_patience_s

    # what the others say

    def heard_announce(self, member: Member, announce: Announce, key_id: bytes, now: float) -> bool:
        """A participant announced itself under this key; returns whether it was news worth believing."""
        news = self.call.heard_announce(member, announce, now)
        if news is News.STALE:
            self._tell_unheeded(member, now)
            return False
        link = self.links[member.did]
        stood = link.phase in _LASTING
        self._act_on(news, member, now)
        if self._rekeying.heard_under(member, key_id, now) and key_id:
            self._announcer.reply(now)  # now that it reads us: it may have missed what we said before
        if member.shows(announce):
            self._tell_state(member)
        self._look_for_ourselves(member.did, announce, now)
        self._nothing_sooner = (
            news is News.NOTHING
            and stood
            and link.phase in _LASTING
            and key_id == self.call.keys.current_id
            and self._recognition.counted_in_at == now
        )
        return True

    def heard_attending(self, member: Member, attending: Attending, now: float) -> bool:
        """A participant says to those who may come that it is here; returns whether that is so."""
        news = self.call.heard_attending(member, attending.incarnation, now)
        if news is News.STALE:
            self._tell_unheeded(member, now)
            return False
        self._act_on(news, member, now)
        self._rekeying.heard_epoch(member, attending.epoch, now)
        for out in attending.out:
            if out.place == self.call.own_place:
                self._taken_to_be_out(member.did, out.incarnation, now)
        return True

    def _taken_to_be_out(self, by: Did, incarnation: int, now: float) -> None:
        """Somebody does not know that we are here; or believes a newer life of ours to be over, which is then an old one."""
        self._attend_soon(now)
        self._announcer.reply(now)
        believed = PeerReception(self.call.own, LinkState.ABSENT.value, incarnation)
        if incarnation >= self.incarnation and self._recognition.is_passed_over(by, believed, now):
            self.call.heard_rumour(incarnation)
            self._be_reborn(incarnation, now)

    def heard_new_key(self, member: Member, new_key: NewKey, now: float) -> bool:
        """A participant tells its key; returns whether it is in the call."""
        news = self.call.heard_incarnation(member, new_key.incarnation, now)
        if news is News.STALE:
            return False
        self._act_on(news, member, now)
        if self._rekeying.heard_key(member, told_key(new_key.current), new_key.out, now):
            self._key_changed(now)
        return True

    def heard_offer(self, member: Member, offer: Offer, now: float) -> None:
        """A participant that misses us tells the call's key with its offer."""
        if member.is_out:
            return
        if offer.current is None:
            self._rekeying.heard_epoch(member, 0, now)
        elif self._rekeying.heard_key(member, told_key(offer.current), (), now):
            self._key_changed(now)

    def heard_leave(self, member: Member, leave: Leave, now: float) -> bool:
        """A participant left; it is not dialled before it announces a newer life."""
        was_out = member.is_out
        was_present = self.call.heard_leave(member, leave, now)
        if member.is_out and not was_out:
            self._rekeying.went(now)
        if leave.incarnation >= member.incarnation:
            self._forget_missing(member.did)
        if was_present:
            self._dismiss(member, LeaveReason.LEFT)
        return was_present

    def heard_withdrawal(self, caller: Member, now: float) -> bool:
        """The caller is gone for good."""
        self._forget_missing(caller.did)
        was_out = caller.is_out
        was_present = caller.leaves_for_good()
        if not was_out:
            self._rekeying.went(now)
        if not was_present:
            return False
        self._dismiss(caller, LeaveReason.LEFT)
        return True

    def heard_decline(self, member: Member, now: float) -> bool:
        """Somebody does not come. Being here speaks louder: an old Decline may arrive late."""
        if member.present or member.declined:
            return False
        member.declined = member.delivered = True
        self._rekeying.went(now)
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
        if not self._believe_incarnation(
            member, description.from_incarnation, description.to_incarnation, now
        ):
            return False
        link = self.links[member.did]
        if description.kind == "offer":
            return link.remote_offer(description.epoch, description.sdp, now)
        return link.remote_answer(description.epoch, description.sdp)

    def heard_redial(self, member: Member, redial: Redial, now: float) -> bool:
        """The side that does not dial asks for another dialling."""
        if not self._believe_incarnation(member, redial.from_incarnation, redial.to_incarnation, now):
            return False
        return self.links[member.did].redial_asked(redial.epoch, now)

    # what this session says and does

    def hears(self, now: float) -> tuple[PeerReception, ...]:
        """How everyone it takes to be in the call is received here."""
        return tuple(self._hearing(member, now) for member in self.call.present)

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

    def heard_own_leave(self, incarnation: int, now: float) -> None:
        """Another session of this identity, or an earlier life of ours, has left in a newer incarnation than we came in."""
        if incarnation > self.incarnation and not self._recognition.was_counted_in:
            self._be_reborn(incarnation, now)

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
            self.call.turn(Trigger.FIRST_LINK_STANDS)
        return True

    def media_heard(self, peer: Did, epoch: int, now: float) -> bool:
        """Some RTP or RTCP of this peer arrived."""
        if not self.links[peer].heard_media(epoch, now):
            return False
        self._found(peer)
        return True

    # time

    def next_timeout(self) -> float:
        """When something is due."""
        # With thirty others, thirty announces a second only put off what all loops below would find again.
        if not self._nothing_sooner:
            self._patience_ends_at = self._when_patience_ends()
        self._nothing_sooner = False
        return min(self._announcer.due_at, self._attend_due_at, self._patience_ends_at)

    def _when_patience_ends(self) -> float:
        due = self._rekeying.next_timeout()
        members = self.call.members
        for did, link in self.links.items():
            if link.phase is not LinkPhase.NONE:
                due = min(due, link.next_timeout())
            elif link.wanted:
                continue
            if members[did].present:
                due = min(due, link.heard_at + self._settings.lost_leaves_s)
        for missing in self._missing.values():
            due = min(due, missing.offer_at)
        if self.call.hearsay_claims:
            due = min(due, self.call.rumours_end_at)
        if not self._accompanied and self.call.phase is Phase.JOINING:
            due = min(due, self.since_s + self._settings.joining_patience_s)
        if self._accompanied and self.call.abandoned:
            due = min(due, self._others_heard_by)
        return due

    def handle_timeout(self, now: float) -> None:
        """Announce, watch the links, let go of who is lost for too long, offer the call again to who is missing."""
        self.call.forget_old_rumours(now)
        for did, link in self.links.items():
            member = self.call.members[did]
            link.handle_timeout(now)
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
        if self._rekeying.handle_timeout(now):
            self._key_changed(now)
        if now >= self._attend_due_at:
            self._attend(now)
        if now >= self._announcer.due_at:
            self._announce(now)

    def shift_deadlines(self, slept_s: float) -> None:
        """This session was stopped for so long: nobody's silence in that time counts."""
        for link in self.links.values():
            link.shift_deadlines(slept_s)

    # the moves

    def _key_changed(self, now: float) -> None:
        """Everybody is told so by hearing us under it; offers under way bring it too."""
        self._announcer.reply(now)
        for did, member in self.call.members.items():
            waits = self.call.caller == self.call.own and not (member.delivered or member.incarnation)
            missed = did in self._missing and self._missing[did].offer_at == math.inf
            if (waits or missed) and not member.is_out:
                self._out.append(SendToPeer(did, self._offer(), self.call.call_id))

    @property
    def _attend_due_at(self) -> float:
        """When those who may come, or come back, are told that this session is here: as long as there are any who may not have our key.

        Who is lost may have left without our hearing it.
        """
        everyone_reads = not self._missing and all(member.present for member in self.call.members.values())
        if everyone_reads or not self.call.keys.current.epoch:
            return self._attend_at
        return min(self._attend_at, self._attended_at + self._settings.attending_interval_s)

    def _tell_unheeded(self, member: Member, now: float) -> None:
        """It is in the call with a life that we believe is over, and may have no key by which our announces could tell it so."""
        if member.unheeded_at == now and self.call.keys.current.epoch:
            self._attend_soon(now)

    def _attend_soon(self, now: float) -> None:
        self._attend_at = min(self._attend_at, max(now, self._attended_at + self._settings.reply_gap_s))

    def _attend(self, now: float) -> None:
        self._attended_at, self._attend_at = now, math.inf
        out = tuple(Out(place, self.call.left_incarnation_at(place)) for place in self.call.out_places)
        attending = Attending(self.incarnation, self.call.keys.current.epoch, out)
        self._out.append(SendToCall(self.call.call_id, attending, copies=0))

    def _believe_incarnation(
        self, member: Member, from_incarnation: int, to_incarnation: int, now: float
    ) -> bool:
        if to_incarnation != self.incarnation:
            return False
        news = self.call.heard_incarnation(member, from_incarnation, now)
        if news is News.STALE:
            return False
        self._act_on(news, member, now)
        return True

    def _look_for_ourselves(self, by: Did, announce: Announce, now: float) -> None:
        ours = [hearing for hearing in announce.hears if hearing.did == self.call.own]
        if any(hearing.incarnation == self.incarnation for hearing in ours):
            self._recognition.counted_in(by, now)
            return
        newer = [hearing for hearing in ours if hearing.incarnation > self.incarnation]
        if not newer:
            self._recognition.tells_nothing(by)
        elif self._recognition.is_passed_over(by, newer[0], now):
            self._be_reborn(newer[0].incarnation, now)
        self._announcer.reply(now)

    def _be_reborn(self, known: int, now: float) -> None:
        """The others know a newer life of ours, from before a crash or from a session whose clock is ahead; we came later."""
        incarnation = self.call.next_incarnation(self.since_wall_ms)
        if incarnation <= known:
            return  # what they claim lies too far ahead to be true
        self.incarnation = self.call.own_incarnation = incarnation
        self._epochs.raise_to(incarnation)
        for did, link in self.links.items():
            link.drop()
            link.own_incarnation = incarnation
            if self.call.members[did].present:
                link.begin(self.call.members[did].incarnation, now)
        self._announcer.hurry(now)

    def _act_on(self, news: News, member: Member, now: float) -> None:
        link = self.links[member.did]
        match news:
            case News.JOINED:
                self._meet(member, now)
                self._rekeying.came(member, now)
            case News.REBORN:
                self._rekeying.came(member, now)
                link.drop()
                link.begin(member.incarnation, now)
            case _:
                link.heard_signal(now)
                link.handle_timeout(now)
        self._found(member.did)

    def _meet(self, member: Member, now: float) -> None:
        self._accompanied = True
        member.delivered = True
        self._out.append(
            Emit(ParticipantJoined(call_id=self.call.call_id, did=member.did, nickname=member.nickname))
        )
        self.links[member.did].begin(member.incarnation, now)

    def _dismiss(self, member: Member, reason: LeaveReason) -> None:
        self._recognition.tells_nothing(member.did)
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
        call = self.call
        return Offer(call.call_id, call.group_key, call.participants, self.nickname, current_of(call))

    def _announce(self, now: float) -> None:
        repeats_news = self._announcer.repeats_news(now)
        keys = self.call.keys
        if keys.lapsed or (keys.current.epoch and not self._recognition.was_counted_in):
            self._attend(now)  # the others may have another key by now: they give it to us when they hear us
        if keys.lapsed:
            self._announcer.take(now)
            return
        announce = Announce(
            self.incarnation,
            self._announcer.take(now),
            self.nickname,
            self._state.muted,
            self._state.deafened,
            self._state.recording,
            self.hears(now) + self._unheeded(now),
        )
        said = SendToCall(
            self.call.call_id, announce, copies=0, straight=repeats_news, key_id=keys.current_id
        )
        self._out.append(said)

    def _unheeded(self, now: float) -> tuple[PeerReception, ...]:
        """Who announces a life that we believe is over learns which life we believe it left."""
        since = now - self._settings.unheeded_s
        return tuple(
            PeerReception(member.did, LinkState.ABSENT.value, member.incarnation)
            for member in self.call.members.values()
            if member.unheeded_at > since and not member.present
        )

    def _hearing(self, member: Member, now: float) -> PeerReception:
        reception = self._reception.get(member.did)
        link = self.links[member.did]
        state = self._shown_link(link, now).value
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
