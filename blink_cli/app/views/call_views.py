"""The calls of a session and who is in them, as they are shown."""

from typing import Protocol

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.media.mesh_media import MeshMedia
from blink_cli.app.views.participant_views import (
    loudness_of,
    media_path,
    refused_in_room,
    shown_loudness,
)
from blink_cli.core.api.replies.calls import (
    CurrentCall,
    Mesh,
    MeshLink,
    MeshParticipant,
    Participant,
    PendingCall,
)
from blink_cli.core.api.replies.loudness import Levels, Loudness, VoiceLevel
from blink_cli.core.api.replies.paths import AddressesTried
from blink_cli.core.api.replies.peers import CallPeer
from blink_cli.core.call.facts import LinkState
from blink_cli.core.call.snapshot import CallView, ParticipantView, PendingView
from blink_cli.core.ids import CallId, Did
from blink_cli.core.text.utc_text import utc_text_of


class Naming(Protocol):
    """What peers are called here."""

    def name_of(self, did: Did) -> str:
        """What to call this one."""

    def is_contact(self, did: Did) -> bool:
        """Whether this profile has a name for it."""

    def is_there(self, did: Did) -> bool:
        """Whether it is heard."""


class CallViews:
    """Calls, participants, how loud they are and whom they hear."""

    def __init__(self, runner: CallRunner, media: MeshMedia, naming: Naming) -> None:
        self._runner = runner
        self._media = media
        self._name_of = naming.name_of
        self._is_contact = naming.is_contact
        self._is_there = naming.is_there

    def current_call(self) -> CurrentCall | None:
        """The call that the session is in."""
        call = self._runner.snapshot().call
        return None if call is None else self._current_call(call)

    def pending_calls(self) -> tuple[PendingCall, ...]:
        """Calls that can be joined."""
        return tuple(self._pending_call(view) for view in self._runner.snapshot().pending)

    def levels(self, call: CallId, now_s: float) -> Levels:
        """How loud everybody of the current call is."""
        view = self._runner.snapshot().call
        people = () if view is None else view.participants
        return Levels(call=call, levels=tuple(self._level(person, now_s) for person in people))

    def mesh(self, call: CallId) -> Mesh:
        """Who has a link to whom, by each one's own word."""
        view = self._runner.snapshot().call
        people = () if view is None else view.participants
        return Mesh(
            call=call,
            participants=tuple(
                MeshParticipant(
                    did=person.did,
                    nickname=self._name_of(person.did),
                    self=person.link is LinkState.SELF,
                    present=person.present,
                    hears=tuple(
                        MeshLink(did=one.did, link=LinkState(one.link), lost_share=one.loss_permille / 1000)
                        for one in person.hears
                    ),
                )
                for person in people
            ),
        )

    def _current_call(self, view: CallView) -> CurrentCall:
        return CurrentCall(
            id=view.call_id,
            state=view.state.value,
            since=utc_text_of(view.since_wall_ms / 1000),
            participants=tuple(self._participant(participant) for participant in view.participants),
            topology=view.topology,
            sfu=view.sfu,
            heard_at_once=None if view.sfu is None else self._media.room.heard_at_once,
            refused_in_room=refused_in_room(self._media),
        )

    def _participant(self, view: ParticipantView) -> Participant:
        volume = self._media.links.volume(view.did)
        return Participant(
            did=view.did,
            nickname=self._name_of(view.did),
            self=view.link == "self",
            link=view.link,
            muted=view.muted,
            deafened=view.deafened,
            recording=view.recording,
            talking=self._media.talkers.is_talking(view.did),
            gain_db=volume.gain_db,
            video=view.video,
            muted_here=volume.muted,
            loudness=self._loudness(view),
            busy=view.busy,
            ringing=view.rings and self._is_there(view.did),
            no_path=self._no_path(view),
            path=media_path(self._media.links.peers.get(view.did), self._media),
            in_contacts=self._is_contact(view.did),
        )

    def _level(self, view: ParticipantView, now_s: float) -> VoiceLevel:
        if view.link is LinkState.SELF:
            reading, voice = self._media.voice.own_level(now_s)
        else:
            entry = self._media.links.peers.get(view.did)
            standing = entry is not None and entry.connected
            reading = entry.level.reading(now_s) if entry is not None and standing else None
            voice = self._media.talkers.is_talking(view.did)
        return VoiceLevel(
            did=view.did,
            level_dbov=None if reading is None else reading.level_dbov,
            peak_dbov=None if reading is None else reading.peak_dbov,
            voice=voice,
        )

    def _loudness(self, view: ParticipantView) -> Loudness | None:
        if view.link is LinkState.SELF:
            return self.own_loudness()
        entry = self._media.links.peers.get(view.did)
        return None if entry is None else loudness_of(entry)

    def own_loudness(self) -> Loudness | None:
        """Of this session's own voice, as it is sent."""
        reading = self._media.voice.own_loudness
        return None if reading is None else shown_loudness(reading)

    def _no_path(self, view: ParticipantView) -> AddressesTried | None:
        entry = self._media.links.peers.get(view.did)
        tried = entry.search.no_path if entry is not None and view.present else None
        return None if tried is None else AddressesTried(tried.ours, tried.left_out, tried.theirs)

    def _pending_call(self, view: PendingView) -> PendingCall:
        return PendingCall(
            id=view.call_id,
            caller=self._named(view.caller),
            participants=tuple(self._named(did) for did in view.participants),
            joined=tuple(self._named(did) for did in view.joined),
            rejected=view.rejected,
            left=view.left,
        )

    def _named(self, did: Did) -> CallPeer:
        return CallPeer(did=did, nickname=self._name_of(did), in_contacts=self._is_contact(did))
