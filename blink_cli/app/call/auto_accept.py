"""Accepts calls that ring, for a session that nobody sits at.

    contacts        calls that a contact offers
    no-microphone   those, and everybody's while the input is a file, a tone or silence: what `--auto-accept` alone means
    anyone          everybody's

Who calls may be anybody: every DID is free. So no rule but `anyone` lets a stranger's call open a microphone, neither when it is accepted
nor later: a microphone that is chosen in such a call begins muted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.call.peer_directory import PeerDirectory
from blink_cli.app.event_hub import EventHub
from blink_cli.core.api.events import CallNotAccepted, CallTerminated, IncomingCall, MicrophoneMuted
from blink_cli.core.api.session_options import AutoAccept
from blink_cli.core.ids import CallId, Did


class AutoAcceptor:
    """Belongs to the event loop.

    What counts is who offers the call: whom a contact invites besides is the contact's choice, as in every call.
    """

    def __init__(
        self,
        whom: AutoAccept | None,
        runner: CallRunner,
        directory: PeerDirectory,
        hub: EventHub,
        microphone_wanted: Callable[[], bool],
    ) -> None:
        """Accept calls of these, and of nobody if that is None.

        Args:
            whom: Whose.
            runner: Accepts.
            directory: Knows the contacts.
            hub: Tells what rings, and is told what is not accepted.
            microphone_wanted: Whether the input is one of the system's, or will be as soon as it can.

        """
        self._whom = whom
        self._runner = runner
        self._directory = directory
        self._hub = hub
        self._microphone_wanted = microphone_wanted
        self._being_chosen = 0
        self._left_ringing: dict[CallId, Did] = {}
        """Calls that were not accepted, and who offers them: no more than ring."""
        self._without_microphone: tuple[CallId, Did] | None = None
        """The call that was accepted only because there was no microphone, and its caller."""

    async def run(self) -> None:
        """Join calls that ring while there is no other call; until cancelled, or the session ends."""
        listener = self._hub.listen()
        try:
            while (event := await listener.next_event()) is not None:
                match event:
                    case IncomingCall(call_id=call) if self._runner.current is None:
                        if call in self._runner.ringing:
                            self._accept_or_tell(event)
                    case CallTerminated(call_id=call) if call == self._mutes_in:
                        self._without_microphone = None
                    case _:
                        pass
        finally:
            self._hub.forget(listener)

    def contacts_changed(self) -> None:
        """Accept a call that rings, whose caller has become a contact meanwhile; the oldest, and none beside another call."""
        if self._runner.current is None:
            for call in self._runner.ringing:
                if call in self._left_ringing and self._directory.is_contact(self._left_ringing[call]):
                    self._runner.accept(call)
                    return

    @contextmanager
    def microphone_chosen(self) -> Iterator[None]:
        """While this lasts, the user's choice of a microphone takes effect: muted, where it would open to a stranger by itself."""
        held = self._mutes_in is not None and not self._runner.muted
        self._being_chosen += 1
        if held:
            self._runner.set_muted(muted=True)
        try:
            yield
        except BaseException:
            if held:
                self._runner.set_muted(muted=False)
            raise
        finally:
            self._being_chosen -= 1
        if held:
            self._tell_muted()

    # inside

    @property
    def _mutes_in(self) -> CallId | None:
        """The current call, if it was accepted only because there was no microphone."""
        if self._without_microphone is None or self._without_microphone[0] != self._runner.current:
            return None
        return self._without_microphone[0]

    def _accept_or_tell(self, ringing: IncomingCall) -> None:
        microphone = self._microphone_wanted() or self._being_chosen > 0
        if self._whom == "anyone" or self._directory.is_contact(ringing.caller):
            self._runner.accept(ringing.call_id)
        elif self._whom == "no-microphone" and not microphone:
            self._without_microphone = (ringing.call_id, ringing.caller)
            self._runner.accept(ringing.call_id)
        else:
            self._tell_not_accepted(ringing)

    def _tell_not_accepted(self, ringing: IncomingCall) -> None:
        self._left_ringing[ringing.call_id] = ringing.caller
        rings = frozenset(self._runner.ringing)
        self._left_ringing = {call: caller for call, caller in self._left_ringing.items() if call in rings}
        why = ", and would hear the microphone" if self._whom == "no-microphone" else ""
        reason = (
            f"not in the contacts (`blink contacts add`){why}: `blink accept {ringing.call_id[:8]}` takes the call,"
            " --auto-accept=anyone takes all"
        )
        self._hub.publish(
            CallNotAccepted(
                call_id=ringing.call_id,
                caller=ringing.caller,
                nickname=self._directory.name_of(ringing.caller),
                reason=reason,
            )
        )

    def _tell_muted(self) -> None:
        if self._without_microphone is None:
            return
        call, caller = self._without_microphone
        reason = (
            f"this call was accepted by itself and {self._directory.name_of(caller)}, who offered it, is not in the contacts:"
            " `blink unmute` lets the call hear it"
        )
        self._hub.publish(MicrophoneMuted(call_id=call, reason=reason))
