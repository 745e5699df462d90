"""Every timing and bound of the call rules, each with its reason."""

from functools import lru_cache
from typing import Final

import msgspec
from msgspec.structs import replace

from blink_cli.core.ids import MAX_MESH, MAX_PARTICIPANTS
from blink_cli.core.signaling.sender_class import SenderClass


class CallSettings(msgspec.Struct, frozen=True):
    """How patient and how talkative the rules are. All times in seconds."""

    announce_interval_s: float = 1.0
    """Often enough that two lost ones in a row are no news, rare enough that twelve sessions whisper."""

    hurried_announces_s: tuple[float, ...] = (0.0, 0.1, 0.25, 0.5)
    """After joining or changing state the announce is repeated at these distances: with 30 % loss fewer than one in a
    hundred joinings is unknown after half a second, which is what accept-to-audio may take."""

    reply_gap_s: float = 0.15
    """An announce that does not count us in is answered at once, but not more often than this: eleven strangers
    to a newcomer shall not draw eleven announces."""

    leave_copies: int = 3
    """A Leave has no next second: with 30 % loss all four datagrams vanish once in 120 times, and then the repetition helps."""

    leave_repeat_s: float = 0.4
    """An announce that still counts us in is answered with another Leave, but not more often than this."""

    connect_deadline_s: float = 10.0
    """ICE gives up after 63 s or never, so we do: a LAN connects in 0.1 s, a relay far away in 2 s."""

    await_offer_s: float = 1.0
    """The side that does not dial asks after this time without a description: its announces may all have been lost."""

    early_description_lasts_s: float = 20.0
    """Who accepts later does not answer what the caller described while it rang, but waits for a description of now: sockets and
    relays of the caller's are kept for 25 s."""

    early_answer_patience_s: float = 0.25
    """Who is in the call and has not answered our early description gets it once more after this: its answer and its announce set out together."""

    answer_patience_s: float = 2.0
    """A description without an answer is said again after this time, and so draws the answer again: one that another session
    of the same identity took and acknowledged is not repeated by the gossip."""

    peer_silence_s: float = 2.5
    """Neither media nor signals for so long is a lost peer. Below the promised 3 s, because noticing takes time too."""

    link_silence_s: float = 3.0
    """No media although its signals arrive: the link is lost. Muted and DTX senders still send several packets a second."""

    connecting_silence_s: float = 5.0
    """While connecting only announces speak, one a second: with 30 % loss five in a row are lost once in 400 times."""

    resume_grace_s: float = 0.3
    """When a silent peer is heard again its old connection gets so long to carry media before it is dialled again:
    fifty packets a second show at once whether it still works."""

    redial_backoff_s: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 3.0)
    """First soon, so that a dropped link is back within 2 s, but after a Leave on the way has arrived; at last
    every 3 s, so that a call is whole within 5 s after the fault ends."""

    redial_gap_s: float = 0.5
    """Nobody can make us dial more often than this."""

    stable_s: float = 5.0
    """A link that stood for so long starts its backoff anew."""

    lost_leaves_s: float = 30.0
    """A lost peer stays a participant for so long: a lift, a cable, a restart of the access point."""

    reoffer_step_s: float = 2.0
    """A lost peer is offered the call again, in case it crashed and forgot; the participants take turns at this distance."""

    rekey_gap_s: float = 1.0
    """Between two new keys of a call: of eight who join or leave at once few keys come."""

    rekey_after_join_s: float = 1.0
    """Whoever rang had the keys anyway: the new one can wait until audio flows."""

    rekey_turn_s: float = 1.0
    """If no new key comes from whose turn it is, the next one makes it after so long."""

    key_handover_s: float = 5.0
    """The last key is read for so long: until the slowest has the new one, and somewhat more."""

    key_missed_s: float = 2.5
    """Who is not heard under our key for so long gets it once more: two announces lost in a row are no news."""

    key_again_s: tuple[float, ...] = (2.0, 4.0, 8.0, 16.0, 30.0)
    """Then less and less often."""

    key_given_gap_s: float = 1.0
    """Nobody can make us give him the key more often than this."""

    key_taken_gap_s: float = 0.5
    """Nobody can make us take keys of his more often than this: the last ones could not be read for long enough."""

    attending_interval_s: float = 2.5
    """Who may come, or come back, hears so often that somebody is in the call: six times before it takes the call to be over."""

    unheeded_s: float = 3.0
    """Who announces a life that we believe is over is told so in our announces of this time: its clock is behind."""

    overtaken_s: float = 1.5
    """Who waits for a newer life of ours that is over, while others know this one, is not believed before it has said so for this time,
    in its second announce after the first: another session of our identity may only have been silent for a moment."""

    joining_patience_s: float = 30.0
    """Whoever accepts a call in which nobody is heard waits so long for the first sign of life."""

    newcomer_patience_s: float = 1.5
    """Whoever has just joined and loses the only other one it has heard waits so long after joining: our announces draw an answer of
    everyone who does not count us in, and everyone announces once a second. A call is not over because its caller went at once."""

    pending_silence_s: float = 15.0
    """A call that could be joined is forgotten when nobody in it was heard for so long."""

    hearsay_s: float = 3.0
    """Somebody leaves who heard a third we have not heard: so long we wait for the third's own word."""

    farewell_s: float = 15.0
    """A Cancel is repeated for so long; by then those whom it did not reach have stopped ringing by silence."""

    oversleep_s: float = 1.0
    """Woken later than asked by more than this, the session itself was stopped: its own blindness is nobody's silence."""

    room_patience_s: float = 2.0
    """Two who are to hear each other through a room wait so long for it before they connect directly; and two who are connected, for the word
    that the other hears through the room."""

    room_unknown_patience_s: float = 1.0
    """Who has not said how it stands to rooms may know none: what it says first is repeated three times in half a second."""

    room_spare_patience_s: float = 0.3
    """The same in a small call, where a few connections beside a room cost little: a server on one network has brought all together by then, and one
    that does not answer delays nobody by more."""

    room_trusted_after_s: float = 5.0
    """A server that stood still and goes on is relied on alone after so long: one that stands still each second moves no connection each second."""

    room_again_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
    """A room that was lost is tried again after so long: first soon, as a server that was restarted is there at once, then at a pace that costs nothing."""

    room_hear_again_s: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0)
    """The same for hearing somebody in a room in which one is."""

    room_move_after_s: float = 2.0
    """Where more are in a room on another server for so long, one goes there: what others say of themselves is a second old."""

    room_leave_patience_s: float = 10.0
    """A room is left when everybody is connected directly, or after so long."""

    room_leave_grace_s: float = 0.5
    """And not before this: the other side of a connection stands a moment later, and hears by it what is still published in the room until then."""

    room_hear_until_s: float = 0.1
    """Who goes back hears somebody directly, and no more through the room, so long after the connection stood: media come by it then."""

    room_seal_after_s: float = 0.5
    """Media are sealed by a new key so long after it was taken: the others have it by then, and lose no packet."""

    talk_gap_s: float = 0.15
    """Nobody tells more often than this that he begins to talk."""

    max_participants: int = MAX_PARTICIPANTS
    """Everyone invited, oneself included."""

    max_mesh: int = MAX_MESH
    """Participants, oneself included, among whom there are direct connections; beyond it there is a room, or nobody new is heard."""

    max_pending: int = 16
    """Of contacts, and as many of others who were in a call with us. Nobody reads a longer list, and each entry listens to a topic."""

    max_pending_of_strangers: int = 8

    max_pending_per_caller: int = 4
    """One caller cannot fill the list."""

    max_cancelled_remembered: int = 64
    """Cancels that came before their offers: bounded, as anyone can send them."""

    max_pending_cancels: int = 16
    """Withdrawing faster than this many in `farewell_s` stops the oldest repetition early."""

    def max_pending_of(self, caller: SenderClass) -> int:
        """Places for the calls of this class."""
        return self.max_pending_of_strangers if caller is SenderClass.STRANGER else self.max_pending

    def paced(self, invited: int) -> "CallSettings":
        """For a call of so many.

        Beyond what a mesh carries everybody announces less often, so that a session hears as many announces a second as in one of that
        size; whoever is silent, or behind, is given time in proportion.
        """
        return self if invited <= self.max_mesh else _slowed(self, invited / self.max_mesh)


@lru_cache(maxsize=64)
def _slowed(settings: CallSettings, factor: float) -> CallSettings:
    return replace(
        settings,
        announce_interval_s=settings.announce_interval_s * factor,
        reply_gap_s=settings.reply_gap_s * factor**2,
        peer_silence_s=settings.peer_silence_s * factor,
        connecting_silence_s=settings.connecting_silence_s * factor,
        reoffer_step_s=settings.reoffer_step_s * factor,
        rekey_gap_s=settings.rekey_gap_s * factor,
        rekey_after_join_s=settings.rekey_after_join_s * factor,
        rekey_turn_s=settings.rekey_turn_s * factor,
        key_missed_s=settings.key_missed_s * factor,
        unheeded_s=settings.unheeded_s * factor,
        overtaken_s=settings.overtaken_s * factor,
        attending_interval_s=settings.attending_interval_s * factor,
        newcomer_patience_s=settings.newcomer_patience_s * factor,
        hearsay_s=settings.hearsay_s * factor,
    )


LAN: Final = CallSettings()
"""Sessions a few milliseconds apart."""
