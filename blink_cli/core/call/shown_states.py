"""What is told of each other's states in a call: muted, deafened, recording, with a camera that is on."""

from dataclasses import dataclass

from blink_cli.core.call.effects import CallEffect
from blink_cli.core.call.facts import (
    ParticipantStateChanged,
    RecordingStarted,
    RecordingStopped,
    VideoChanged,
)
from blink_cli.core.call.membership import Member
from blink_cli.core.fact import Emit
from blink_cli.core.ids import CallId, Did


@dataclass(slots=True)
class OwnState:
    """What this session shows to everyone it is in a call with."""

    muted: bool = False
    deafened: bool = False
    recording: bool = False
    video: bool = False


class ShownStates:
    """Of one joining. Its effects go into the outbox."""

    def __init__(self, call_id: CallId, out: list[CallEffect]) -> None:
        """Have told nothing."""
        self._call_id = call_id
        self._out = out
        self._recorders: set[Did] = set()
        """Of the others, who was told to record."""

    def tell_own(self, own: Did, state: OwnState) -> None:
        """This session's state changed."""
        self._tell(own, state)

    def tell(self, member: Member) -> None:
        """A participant's state changed."""
        self._tell(member.did, member)
        if member.recording:
            if member.did not in self._recorders:
                self._recorders.add(member.did)
                self._out.append(Emit(RecordingStarted(did=member.did, path=None)))
        else:
            self._stop(member.did, "stopped")

    def tell_video(self, did: Did, *, video: bool) -> None:
        """Somebody's camera was turned on or off, this session's or a participant's."""
        self._out.append(Emit(VideoChanged(call_id=self._call_id, did=did, video=video)))

    def gone(self, did: Did) -> None:
        """A participant left: it does not record the call any more."""
        self._stop(did, "left the call")

    def close(self) -> None:
        """The call ended: nobody records it any more."""
        for did in sorted(self._recorders):
            self._stop(did, "the call ended")

    def _tell(self, did: Did, state: OwnState | Member) -> None:
        self._out.append(
            Emit(
                ParticipantStateChanged(
                    call_id=self._call_id,
                    did=did,
                    muted=state.muted,
                    deafened=state.deafened,
                    recording=state.recording,
                )
            )
        )

    def _stop(self, did: Did, reason: str) -> None:
        if did in self._recorders:
            self._recorders.discard(did)
            self._out.append(Emit(RecordingStopped(did=did, path=None, reason=reason)))
