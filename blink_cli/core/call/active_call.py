"""This session's part in the call that it is in: it announces itself, keeps a link to everyone present, notices who is missing."""

import math
from collections.abc import Callable
from typing import Final

from blink_cli.core.call.announcing import Announcer
from blink_cli.core.call.attendance import Attendance
from blink_cli.core.call.deadlines import Deadlines
from blink_cli.core.call.dialling import Epochs
from blink_cli.core.call.effects import CallEffect, SendToPeer, StartMedia, StopMedia, StopSending
from blink_cli.core.call.facts import (
    CallJoined,
    EndReason,
    LeaveReason,
    LinkState,
    ParticipantBusy,
    ParticipantDeclined,
    ParticipantJoined,
    ParticipantLeft,
)
from blink_cli.core.call.joining import Joining
from blink_cli.core.call.link import Link
from blink_cli.core.call.membership import CallRecord, Member, News, RoomShown
from blink_cli.core.call.missing import Missing
from blink_cli.core.call.own_announces import OwnAnnounces
from blink_cli.core.call.recognition import Recognition
from blink_cli.core.call.rekeying import Rekeying, current_of, told_key
from blink_cli.core.call.room_policy import RoomPolicy
from blink_cli.core.call.settings import CallSettings
from blink_cli.core.call.shown_states import OwnState, ShownStates
from blink_cli.core.call.transitions import LinkPhase, Phase, Trigger
from blink_cli.core.call.ways import Ways
from blink_cli.core.fact import Emit
from blink_cli.core.ids import Did
from blink_cli.core.media.room import RoomFeed
from blink_cli.core.signaling.signals import (
    ANY_INCARNATION,
    Announce,
    Attending,
    Leave,
    NewKey,
    Offer,
    PeerReception,
    Redial,
    SessionDescription,
)

_LASTING: Final = (LinkPhase.CONNECTED, LinkPhase.NONE)
"""In these a sign of life changes nothing but the time until the next is missed."""


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
        unlinked: frozenset[Did],
        policy: RoomPolicy,
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
        joining = Joining(call, self.links, settings, out)
        self._ways = Ways(joining, policy, self._room_changed)
        self.room = self._ways.room
        self._announcer = Announcer(settings, now)
        self._recognition = Recognition(settings)
        self._missing = Missing(joining, self._offer)
        self._attendance = Attendance(joining, self._missing)
        self._announces = OwnAnnounces(
            joining, nickname, state, self.room, self._announcer, self._recognition, self._attendance
        )
        self._states = ShownStates(call.call_id, out)
        self._rekeying = Rekeying(
            call, settings, out, entropy, lambda did: self.links[did].awaits_sign, now=now
        )
        self._talk_told_at = -math.inf
        self._accompanied = False
        self._deadlines = Deadlines(self.links.keys(), self._due_with, self._due_besides)

    # coming and going

    def join(self, now: float) -> None:
        """Start the source track, meet everyone who is already here, announce."""
        self._out.append(StartMedia(self.call.call_id))
        self._out.append(Emit(CallJoined(call_id=self.call.call_id)))
        self.room.look(now)
        for member in self.call.present:
            self._meet(member, now)
            if member.muted or member.deafened or member.recording:
                self._states.tell(member)
            if member.video:
                self._states.tell_video(member.did, video=True)
        self._say_video()
        self._announcer.hurry(now)
        self._announces.say(now)

    def invite(self) -> None:
        """Offer the call to everyone invited."""
        offer = self._offer()
        for did in self.call.members:
            self._out.append(SendToPeer(did, offer, self.call.call_id))

    def close(self) -> None:
        """Drop every link and stop the media; what the others are told is the machine's business."""
        for link in self.links.values():
            link.drop()
        self.room.close()
        self._states.close()
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

    def heard_announce(
        self, member: Member, announce: Announce, room: RoomShown | None, key_id: bytes, now: float
    ) -> bool:
        """A participant announced itself under this key, and said how it stands to a room if it knows any; returns whether it was news worth believing."""
        self._deadlines.bear_on(member.did)
        news = self.call.heard_announce(member, announce, now)
        if news is News.STALE:
            self._attendance.unheeded(member, now)
            return False
        link = self.links[member.did]
        stood = link.phase in _LASTING and not link.awaits_sign
        video_before = member.video
        if room is not None and self._ways.heard_of_room(member, room, now):
            self._announcer.reply(now)
        self._act_on(news, member, now)
        if self._rekeying.heard_under(member, key_id, now) and key_id:
            self._announcer.reply(now)  # now that it reads us: it may have missed what we said before
        if member.shows(announce):
            self._states.tell(member)
        if member.video != video_before:
            self._states.tell_video(member.did, video=member.video)
        self._look_for_ourselves(member.did, announce, now)
        if (
            news is News.NOTHING
            and stood
            and link.phase in _LASTING
            and not self._ways.unsettled
            and key_id == self.call.keys.current_id
            and self._recognition.counted_in_at == now
        ):
            self._deadlines.only_later()
        return True

    def heard_attending(self, member: Member, attending: Attending, now: float) -> bool:
        """A participant says to those who may come that it is here; returns whether that is so."""
        news = self.call.heard_attending(member, attending.incarnation, now)
        if news is News.STALE:
            self._attendance.unheeded(member, now)
            return False
        self._act_on(news, member, now)
        self._rekeying.heard_epoch(member, attending.epoch, now)
        for out in attending.out:
            if out.place == self.call.own_place:
                self._taken_to_be_out(member.did, out.incarnation, now)
        return True

    def _taken_to_be_out(self, by: Did, incarnation: int, now: float) -> None:
        """Somebody does not know that we are here; or believes a newer life of ours to be over, which is then an old one."""
        self._attendance.hurry(now)
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
            self._missing.forget(member.did)
        if was_present:
            self._dismiss(member, LeaveReason.LEFT)
        return was_present

    def heard_withdrawal(self, caller: Member, now: float) -> bool:
        """The caller is gone for good."""
        self._missing.forget(caller.did)
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
        self.links[member.did].drop()
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
        if description.kind == "offer" and description.to_incarnation == ANY_INCARNATION:
            return self._heard_early(member, description, now)
        if not self._believe_incarnation(
            member, description.from_incarnation, description.to_incarnation, now
        ):
            return False
        link = self.links[member.did]
        if description.kind == "offer":
            self._ways.needs_us_directly(member)
            return link.remote_offer(description.epoch, description.sdp, now)
        return link.remote_answer(description.epoch, description.sdp, now)

    def _heard_early(self, member: Member, description: SessionDescription, now: float) -> bool:
        """The caller described itself while it rang here, and we accepted before that came, as a machine does."""
        if member.did != self.call.caller:
            return False
        news = self.call.heard_incarnation(member, description.from_incarnation, now)
        if news is News.STALE:
            return False
        if news is News.JOINED:
            member.early = description, now + self._settings.early_description_lasts_s
        self._act_on(news, member, now)
        if news is News.JOINED:
            return True
        return self.links[member.did].early_offer(description.epoch, description.sdp, now)

    def heard_redial(self, member: Member, redial: Redial, now: float) -> bool:
        """The side that does not dial asks for another dialling."""
        if not self._believe_incarnation(member, redial.from_incarnation, redial.to_incarnation, now):
            return False
        self._ways.needs_us_directly(member)
        return self.links[member.did].redial_asked(redial.epoch, now)

    # what this session says and does

    def hears(self, now: float) -> tuple[PeerReception, ...]:
        """How everyone it takes to be in the call is received here."""
        return self._announces.hears(now)

    def offer_delivered(self, peer: Did) -> None:
        """It rings there."""
        if not self.room.is_likely:
            self.links[peer].describe_early()

    def state_changed(self, now: float) -> None:
        """Muted, deafened or recording changed: everyone is told at once."""
        self._states.tell_own(self.call.own, self._state)
        self._announcer.hurry(now)
        self._announces.say(now)

    def video_changed(self, now: float) -> None:
        """The camera was turned on or off: everyone is told at once."""
        self._say_video()
        self._states.tell_video(self.call.own, video=self._state.video)
        self._announcer.hurry(now)
        self._announces.say(now)

    def _say_video(self) -> None:
        """An announce has no place for a camera that is on, and a room announce has: from then on this session says both, or the latter alone."""
        if self._state.video and not self.room.speaks:
            self.room.speaks = True
            self._ways.unsettle()

    def heard_own_leave(self, incarnation: int, now: float) -> None:
        """Another session of this identity, or an earlier life of ours, has left in a newer incarnation than we came in."""
        if incarnation > self.incarnation and not self._recognition.was_counted_in:
            self._be_reborn(incarnation, now)

    def insist(self, now: float) -> None:
        """An older session of this identity is heard: make sure that it hears us."""
        self._announcer.reply(now)

    def reception(self, peer: Did, loss_permille: int, longest_burst_packets: int) -> None:
        """How a peer's packets arrive here; the next announce says it."""
        self._announces.received(peer, loss_permille, longest_burst_packets)

    def link_stands(self, peer: Did, epoch: int, now: float) -> bool:
        """The media layer connected."""
        self._deadlines.bear_on(peer)
        link = self.links[peer]
        was_in_room = link.heard_in_room
        if not link.connected(epoch, now):
            return False
        self._ways.unsettle_one(peer)
        if link.heard_in_room and not was_in_room:
            self._announcer.reply(now)  # the peer may end what connects the two of us when it knows
        if self.call.phase is not Phase.IN_CALL:
            self.call.turn(Trigger.FIRST_LINK_STANDS)
        return True

    def link_closed(self, peer: Did, epoch: int, now: float) -> bool:
        """The media layer lost a connection, or a hearing in the room."""
        self._deadlines.bear_on(peer)
        self._ways.unsettle_one(peer)
        return self.links[peer].closed(epoch, now)

    def room_entered(self, url: str, feed: RoomFeed, now: float) -> bool:
        """The media layer publishes in the room."""
        if not self.room.entered(url, feed):
            return False
        self._room_changed(now)
        return True

    def room_lost(self, url: str, reason: str, now: float) -> bool:
        """There is no room any more, or none was found."""
        was_in = self.room.is_in
        if not self.room.lost(url, reason, now):
            return False
        self._ways.forget_hearings()
        self._ways.unsettle()
        if was_in:
            self._room_changed(now)
        return True

    def room_silent(self, url: str, now: float, *, silent: bool) -> bool:
        """Nothing comes from the room's server any more, or something comes again."""
        if not self.room.fell_silent(url, now, silent=silent):
            return False
        self._room_changed(now)
        return True

    def own_talk(self, now: float, *, talking: bool) -> None:
        """This session's voice begins or ends: who hears it in the room is told, of a beginning at once."""
        if talking == self.room.talking:
            return
        self.room.talking = talking
        if not self.room.is_in:
            return
        if talking and now >= self._talk_told_at + self._settings.talk_gap_s:
            self._talk_told_at = now
            self._announces.say(now, copies=1)
        else:
            self._announcer.reply(now)

    def media_heard(self, peer: Did, epoch: int, now: float) -> bool:
        """Some RTP or RTCP of this peer arrived."""
        link = self.links[peer]
        stood = link.phase in _LASTING and not link.awaits_sign
        if not link.heard_media(epoch, now):
            return False
        self._missing.found(peer)
        if stood and not self._ways.unsettled:
            self._deadlines.only_later()
        return True

    # time

    def next_timeout(self) -> float:
        """When something is due."""
        return min(
            self._announcer.due_at,
            self._attendance.due_at,
            self._deadlines.next_timeout(),
            self._ways.settle_at,
        )

    def _due_with(self, did: Did) -> float:
        """When something is due because this participant is silent."""
        link = self.links[did]
        due = link.next_timeout()
        return (
            min(due, link.heard_at + self._settings.lost_leaves_s) if self.call.members[did].present else due
        )

    def _due_besides(self, due: float) -> float:
        """The earlier of this moment and of when something is due because somebody is missing, or lacks the key."""
        due = min(due, self._missing.due_at)
        if self.call.hearsay_claims:
            due = min(due, self.call.rumours_end_at)
        if not self._accompanied and self.call.phase is Phase.JOINING:
            due = min(due, self.since_s + self._settings.joining_patience_s)
        if self._accompanied and self.call.abandoned:
            due = min(due, self._others_heard_by)
        # At the next announce this is worked out anew: when a key is due behind that need not be known.
        rekeying_at = self._rekeying.not_before
        if rekeying_at < min(due, self._announcer.due_at):
            rekeying_at = self._rekeying.next_timeout()
        return min(due, rekeying_at)

    def handle_timeout(self, now: float) -> None:
        """Announce, watch the links, let go of who is lost for too long, offer the call again to who is missing."""
        self.call.forget_old_rumours(now)
        self._ways.unsettle()
        for did, link in self.links.items():
            member = self.call.members[did]
            link.handle_timeout(now)
            silent = link.awaits_sign and now >= link.heard_at + self._settings.peer_silence_s
            if silent:
                self._missing.falls_silent(did, now)
            if member.present and now >= link.heard_at + self._settings.lost_leaves_s:
                member.gone()
                self._dismiss(member, LeaveReason.LOST)
                self._missing.is_lost(did, now)
        self._missing.handle_timeout(now)
        if self._rekeying.handle_timeout(now):
            self._key_changed(now)
        if now >= self._attendance.due_at:
            self._attendance.tell(now)
        if now >= self._announcer.due_at:
            self._announces.say(now)

    def shift_deadlines(self, slept_s: float) -> None:
        """This session was stopped for so long: nobody's silence in that time counts."""
        self._deadlines.all_moved()
        for link in self.links.values():
            link.shift_deadlines(slept_s)

    def settle(self, now: float) -> None:
        """Let every connection and hearing be as the room asks for; to be called after all that happens."""
        for did in self._ways.settle(now):
            self._deadlines.touched(did)

    # the moves

    def _room_changed(self, now: float) -> None:
        """Everybody is to know soon where we are heard."""
        self._ways.unsettle()
        self._announcer.hurry(now)
        self._announces.say(now)

    def _key_changed(self, now: float) -> None:
        """Everybody is told so by hearing us under it; offers under way bring it too."""
        self._ways.unsettle()
        self._announcer.reply(now)
        for did, member in self.call.members.items():
            waits = self.call.caller == self.call.own and not (member.delivered or member.incarnation)
            if (waits or self._missing.is_offered(did)) and not member.is_out:
                self._out.append(SendToPeer(did, self._offer(), self.call.call_id))

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
        self._deadlines.all_moved()
        self.incarnation = self.call.own_incarnation = incarnation
        self._epochs.raise_to(incarnation)
        for did, link in self.links.items():
            link.drop()
            link.own_incarnation = incarnation
            if self.call.members[did].present:
                self._ways.needs_us_directly(self.call.members[did])
                self._begin_link(self.call.members[did], now)
        self._announcer.hurry(now)

    def _begin_link(self, member: Member, now: float, early: SessionDescription | None = None) -> None:
        self._ways.unsettle_one(member.did)
        link = self.links[member.did]
        link.waits_since = now
        link.begin(member.incarnation, self._ways.direct_to(member, link, now)[0], now, early)

    def _act_on(self, news: News, member: Member, now: float) -> None:
        link = self.links[member.did]
        match news:
            case News.JOINED:
                self._meet(member, now)
                self._rekeying.came(member, now)
            case News.REBORN:
                self._rekeying.came(member, now)
                link.drop()
                self._begin_link(member, now)
            case _:
                if link.awaits_sign:
                    self._ways.unsettle_one(member.did)
                link.heard_signal(now)
                link.handle_timeout(now)
        self._missing.found(member.did)

    def _meet(self, member: Member, now: float) -> None:
        self._accompanied = True
        member.delivered = True
        self._out.append(
            Emit(ParticipantJoined(call_id=self.call.call_id, did=member.did, nickname=member.nickname))
        )
        early, member.early = member.early_at(now), None
        self._begin_link(member, now, early)

    def _dismiss(self, member: Member, reason: LeaveReason) -> None:
        self._ways.unsettle_one(member.did)
        self._recognition.tells_nothing(member.did)
        self.links[member.did].drop()
        self._announces.forget(member.did)
        self._out.append(Emit(ParticipantLeft(call_id=self.call.call_id, did=member.did, reason=reason)))
        self._states.gone(member.did)

    def _offer(self) -> Offer:
        call = self.call
        return Offer(call.call_id, call.group_key, call.participants, self.nickname, current_of(call))
