"""The machine alone: what strangers and invited peers may not do, bounds, and what the media layer reports too late."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.api.events import CallCancelled, EndReason, IncomingCall, LinkState, OfferDelivered
from blink_cli.core.call import inputs
from blink_cli.core.call.effects import (
    Answer,
    ApplyAnswer,
    CallEffect,
    ConfirmOffer,
    DescribeEarly,
    Dial,
    Hangup,
    OpenTopics,
    SendToCall,
    SendToPeer,
)
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.settings import LAN
from blink_cli.core.fact import Emit
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.signals import (
    Announce,
    Cancel,
    Decline,
    Leave,
    Offer,
    PeerReception,
    Presence,
    Redial,
    SessionDescription,
    Signal,
)

ALICE, BOB, CAROL, MALLORY = (Did(f"did:key:z6Mk{name}") for name in ("alice", "bob", "carol", "mallory"))
CALL = CallId("ab" * 16)
KEY = bytes(range(32))
WALL_MS = 1_800_000_000_000


def announce(
    incarnation: int = 5, sequence: int = 1, hears: tuple[PeerReception, ...] = (), *, muted: bool = False
) -> Announce:
    return Announce(
        incarnation=incarnation,
        sequence=sequence,
        nickname="al",
        muted=muted,
        deafened=False,
        recording=False,
        hears=hears,
    )


class Table:
    """Bob's machine on a table, and a clock beside it."""

    def __init__(self, own: Did = BOB) -> None:
        self.machine = CallMachine(own, bytes)
        self.now = 100.0

    def offer(
        self, *others: Did, sender: Did = ALICE, call: CallId = CALL, key: bytes = KEY
    ) -> tuple[CallEffect, ...]:
        return self.machine.handle(
            inputs.SignalHeard(sender, Offer(call, key, (ALICE, BOB, *others), "al"), None), self.now
        )

    def announce(
        self,
        sender: Did,
        incarnation: int = 5,
        sequence: int = 1,
        hears: tuple[PeerReception, ...] = (),
        *,
        muted: bool = False,
    ) -> tuple[CallEffect, ...]:
        signal = announce(incarnation, sequence, hears, muted=muted)
        return self.machine.handle(inputs.SignalHeard(sender, signal, CALL), self.now)

    def leave(self, sender: Did, incarnation: int = 5) -> tuple[CallEffect, ...]:
        return self.machine.handle(inputs.SignalHeard(sender, Leave(incarnation), CALL), self.now)

    def join(self, *others: Did) -> None:
        self.offer(*others)
        self.machine.handle(inputs.Accepting(CALL, "bob", WALL_MS), self.now)

    def sdp(
        self,
        sender: Did = ALICE,
        kind: str = "offer",
        epoch: int = 7,
        from_incarnation: int = 5,
        to_incarnation: int = WALL_MS,
        sdp: str = "v=0",
    ) -> tuple[CallEffect, ...]:
        signal = SessionDescription(CALL, kind, from_incarnation, to_incarnation, epoch, sdp)
        return self.machine.handle(inputs.SignalHeard(sender, signal, CALL), self.now)

    def run(self, seconds: float) -> list[CallEffect]:
        """Wake it whenever it wants for so long."""
        end, effects = self.now + seconds, list[CallEffect]()
        while (due := self.machine.next_timeout()) is not None and due <= end:
            self.now = max(self.now, due)
            effects += self.machine.handle_timeout(self.now)
        self.now = end
        return effects

    @property
    def ignored(self) -> dict[str, int]:
        return dict(self.machine.snapshot(self.now).ignored)

    def link(self, peer: Did) -> LinkState:
        call = self.machine.snapshot(self.now).call
        assert call is not None
        return next(p.link for p in call.participants if p.did == peer)


@pytest.mark.parametrize(
    "offer",
    [
        Offer(CALL, KEY, (ALICE, CAROL), ""),
        Offer(CALL, KEY, (CAROL, BOB), ""),
        Offer(CALL, KEY, (ALICE, BOB, BOB), ""),
        Offer(CALL, KEY, (ALICE, BOB, *(Did(f"did:key:z{i}") for i in range(63))), ""),
    ],
    ids=["not me", "not its sender", "somebody twice", "too many"],
)
def test_an_unfit_offer_does_not_ring(offer: Offer) -> None:
    table = Table()
    assert table.machine.handle(inputs.SignalHeard(ALICE, offer, None), table.now) == ()
    assert table.ignored == {"unfit_offer": 1}


def test_an_offer_rings_once() -> None:
    table = Table()
    first, again = table.offer(), table.offer()
    assert first == (
        OpenTopics(CALL, KEY, (ALICE, BOB)),
        Emit(IncomingCall(call_id=CALL, caller=ALICE, nickname="al", participants=(ALICE, BOB))),
        ConfirmOffer(ALICE, CALL),
    )
    assert again == (ConfirmOffer(ALICE, CALL),)


def test_nobody_widens_or_rekeys_an_invitation() -> None:
    table = Table()
    table.offer(CAROL)
    table.offer(CAROL, MALLORY)
    table.offer(CAROL, key=bytes(32))
    table.offer(CAROL, sender=CAROL)
    assert table.ignored == {"changed_offer": 2}
    assert table.machine.snapshot(table.now).pending[0].participants == (ALICE, BOB, CAROL)


def test_who_was_not_invited_is_never_believed() -> None:
    table = Table()
    table.join()
    table.announce(ALICE)
    before = table.machine.snapshot(table.now).call
    for signal in (announce(5, 1), Leave(9)):
        assert table.machine.handle(inputs.SignalHeard(MALLORY, signal, CALL), table.now) == ()
    assert table.sdp(MALLORY) == ()
    assert (
        table.machine.handle(inputs.SignalHeard(MALLORY, Redial(CALL, 5, WALL_MS, 7), CALL), table.now) == ()
    )
    assert table.machine.handle(inputs.SignalHeard(MALLORY, Decline(CALL), None), table.now) == ()
    assert table.machine.handle(inputs.SignalHeard(MALLORY, Cancel(CALL), None), table.now) == ()
    assert table.machine.snapshot(table.now).call == before
    assert table.ignored == {"not_invited": 6}


def test_only_the_caller_cancels() -> None:
    table = Table()
    table.offer(CAROL)
    table.machine.handle(inputs.SignalHeard(CAROL, Cancel(CALL), None), table.now)
    assert table.ignored == {"not_the_caller": 1}
    effects = table.machine.handle(inputs.SignalHeard(ALICE, Cancel(CALL), None), table.now)
    assert Emit(CallCancelled(call_id=CALL, reason=EndReason.WITHDRAWN)) in effects


def test_a_cancel_does_not_end_a_call_that_others_are_in() -> None:
    table = Table()
    table.offer(CAROL)
    table.announce(CAROL)
    assert table.machine.handle(inputs.SignalHeard(ALICE, Cancel(CALL), None), table.now) == ()
    assert table.machine.pending == (CALL,)


def test_what_comes_the_wrong_way_is_not_believed() -> None:
    table = Table()
    table.join()
    table.machine.handle(inputs.SignalHeard(ALICE, Leave(5), None), table.now)
    table.machine.handle(inputs.SignalHeard(ALICE, Offer(CALL, KEY, (ALICE, BOB), ""), CALL), table.now)
    table.machine.handle(
        inputs.SignalHeard(ALICE, SessionDescription(CALL, "offer", 5, WALL_MS, 7, ""), CallId("cd" * 16)),
        table.now,
    )
    table.machine.handle(inputs.SignalHeard(ALICE, Presence("al", reply_wanted=False), None), table.now)
    assert table.ignored == {"wrong_topic": 4}


def test_descriptions_for_a_call_that_this_session_is_not_in_are_not_answered() -> None:
    table = Table()
    table.offer()
    assert table.sdp() == ()
    assert table.ignored == {"not_in_this_call": 1}


def test_a_description_stands_for_a_lost_announce() -> None:
    table = Table()
    table.join()
    assert Answer(CALL, ALICE, 7, "v=0") in table.sdp()
    assert table.link(ALICE) is LinkState.CONNECTING


def test_a_description_for_an_earlier_life_of_ours_is_ignored() -> None:
    table = Table()
    table.join()
    assert table.sdp(to_incarnation=WALL_MS - 1) == ()
    assert table.ignored == {"stale": 1}


def test_a_description_from_before_a_leave_is_ignored() -> None:
    table = Table()
    table.join(CAROL)
    table.announce(ALICE)
    table.announce(CAROL)
    table.leave(ALICE)
    assert table.sdp() == ()
    assert table.announce(ALICE, sequence=9) == ()
    assert table.sdp(from_incarnation=6) != ()


def test_the_side_that_dials_takes_no_offer() -> None:
    table = Table()
    table.join(CAROL)
    table.announce(CAROL)
    assert not any(isinstance(e, Answer) for e in table.sdp(CAROL))


def test_an_older_epoch_is_ignored() -> None:
    table = Table()
    table.join()
    table.announce(ALICE)
    table.sdp(epoch=7)
    assert table.sdp(epoch=7) == ()
    assert table.sdp(epoch=6) == ()
    assert Answer(CALL, ALICE, 8, "v=0") in table.sdp(epoch=8)


def test_an_answer_is_applied_once_and_only_to_its_dialling() -> None:
    table = Table()
    table.join(CAROL)
    (dial,) = [e for e in table.announce(CAROL) if isinstance(e, Dial)]
    early = table.sdp(CAROL, "answer", dial.epoch)
    described = table.machine.handle(inputs.Described(CAROL, dial.epoch, "mine"), table.now)
    wrong = table.sdp(CAROL, "answer", dial.epoch + 1)
    right = table.sdp(CAROL, "answer", dial.epoch, sdp="theirs")
    again = table.sdp(CAROL, "answer", dial.epoch)
    assert early == wrong == again == ()
    assert described == (
        SendToPeer(CAROL, SessionDescription(CALL, "offer", WALL_MS, 5, dial.epoch, "mine"), CALL),
    )
    assert right == (ApplyAnswer(CALL, CAROL, dial.epoch, "theirs"),)


def test_an_answer_that_another_session_took_is_said_again() -> None:
    dialler, other = Table(), Table()
    dialler.join(CAROL)
    (dial,) = [e for e in dialler.announce(CAROL) if isinstance(e, Dial)]
    (offer,) = dialler.machine.handle(inputs.Described(CAROL, dial.epoch, "mine"), dialler.now)
    assert offer in dialler.run(LAN.answer_patience_s + 0.1)
    other.join()
    other.announce(ALICE)
    other.sdp(epoch=7)
    (answer,) = other.machine.handle(inputs.Described(ALICE, 7, "mine"), other.now)
    assert answer in other.sdp(epoch=7)


def test_late_reports_of_old_links_are_ignored() -> None:
    table = Table()
    table.join()
    table.announce(ALICE)
    table.sdp(epoch=7)
    table.sdp(epoch=8)
    for report in (
        table.machine.handle(inputs.Described(ALICE, 7, "v=0"), table.now),
        table.machine.handle(inputs.Connected(ALICE, 7), table.now),
        table.machine.handle(inputs.Ended(ALICE, 7, "closed"), table.now),
        table.machine.handle(inputs.Refused(ALICE, 7, "failed"), table.now),
        table.machine.handle(inputs.Heard(ALICE, 7, table.now), table.now),
        table.machine.handle(inputs.Heard(MALLORY, 8, table.now), table.now),
    ):
        assert report == ()
    assert table.ignored == {"old_link": 6}
    assert table.link(ALICE) is LinkState.CONNECTING


def test_a_dialling_that_takes_too_long_is_given_up_and_tried_again() -> None:
    table = Table()
    table.join(CAROL)
    table.announce(CAROL)
    effects: list[CallEffect] = []
    for second in range(12):
        effects += table.run(1)
        effects += table.announce(CAROL, sequence=2 + second)
    hangups = [e for e in effects if isinstance(e, Hangup)]
    redials = [e for e in effects if isinstance(e, Dial)]
    assert len(hangups) == len(redials) == 1
    assert redials[0].epoch > hangups[0].epoch


def test_nobody_makes_us_dial_more_often_than_the_gap() -> None:
    table = Table()
    table.join(CAROL)
    table.announce(CAROL)
    dialled = 0
    for _ in range(100):
        table.now += 0.05
        call = table.machine.snapshot(table.now).call
        assert call is not None
        epoch = next(p.epoch for p in call.participants if p.did == CAROL)
        effects = [
            *table.machine.handle(
                inputs.SignalHeard(CAROL, Redial(CALL, 5, WALL_MS, epoch), CALL), table.now
            ),
            *table.run(0),
        ]
        dialled += sum(isinstance(e, Dial) for e in effects)
    assert 2 <= dialled <= 5 / LAN.redial_gap_s + 1


def test_a_silent_peer_is_not_dialled_before_it_is_heard() -> None:
    table = Table()
    table.join(CAROL)
    table.announce(CAROL)
    table.run(LAN.connecting_silence_s + 0.1)
    assert table.link(CAROL) is LinkState.LOST
    assert not any(isinstance(e, Dial) for e in table.run(15))
    table.announce(CAROL, sequence=2)
    assert table.link(CAROL) is LinkState.CONNECTING


def test_an_announce_that_does_not_count_us_in_is_answered_but_not_eleven_times() -> None:
    table = Table()
    others = tuple(Did(f"did:key:zpeer{i}") for i in range(10))
    table.join(*others)
    table.run(5)
    answers = 0
    for other in others:
        effects = [*table.announce(other), *table.run(0.001)]
        answers += sum(isinstance(e, SendToCall) for e in effects)
    assert answers <= 1


def test_older_announces_do_not_change_what_is_shown() -> None:
    table = Table()
    table.join()
    table.announce(ALICE, sequence=2, muted=True)
    assert table.announce(ALICE, sequence=1) == ()
    assert table.announce(ALICE, sequence=2) == ()
    call = table.machine.snapshot(table.now).call
    assert call is not None
    assert next(p.muted for p in call.participants if p.did == ALICE)


def test_a_decline_that_comes_after_its_sender_joined_is_old() -> None:
    table = Table()
    table.join()
    table.announce(ALICE)
    assert table.machine.handle(inputs.SignalHeard(ALICE, Decline(CALL), None), table.now) == ()
    assert table.ignored == {"stale": 1}


def test_one_caller_cannot_fill_the_list() -> None:
    table = Table()
    for number in range(20):
        table.now += 1
        table.offer(call=CallId(f"{number:032x}"))
    assert len(table.machine.pending) == LAN.max_pending_per_caller
    assert table.machine.pending[-1] == CallId(f"{19:032x}"), "the newest rings, the oldest went"


def test_the_list_is_bounded_and_keeps_calls_that_somebody_is_in() -> None:
    table = Table()
    table.offer()
    table.announce(ALICE)
    for number in range(40):
        table.now += 0.1
        sender = Did(f"did:key:zstranger{number}")
        offer = Offer(CallId(f"{number:032x}"), KEY, (sender, BOB), "")
        table.machine.handle(inputs.SignalHeard(sender, offer, None), table.now)
    assert len(table.machine.pending) == LAN.max_pending_of_strangers
    assert CALL in table.machine.pending


def test_a_full_list_of_living_calls_refuses_a_newcomer() -> None:
    table = Table()
    for number in range(LAN.max_pending_of_strangers + 1):
        sender, call = Did(f"did:key:zcaller{number}"), CallId(f"{number:032x}")
        table.machine.handle(inputs.SignalHeard(sender, Offer(call, KEY, (sender, BOB), ""), None), table.now)
        table.machine.handle(inputs.SignalHeard(sender, announce(1, 1), call), table.now)
    assert len(table.machine.pending) == LAN.max_pending_of_strangers
    assert table.ignored["list_full"] == 1


def fill_with_strangers(table: Table) -> None:
    """Calls of strangers in which somebody is, so that none of them goes."""
    for number in range(40):
        sender, call = Did(f"did:key:zcaller{number}"), CallId(f"{number:032x}")
        table.machine.handle(inputs.SignalHeard(sender, Offer(call, KEY, (sender, BOB), ""), None), table.now)
        table.machine.handle(inputs.SignalHeard(sender, announce(1, 1), call), table.now)


def test_a_contact_rings_however_many_strangers_call() -> None:
    table = Table()
    table.machine.handle(inputs.ContactsKnown(frozenset({ALICE})), table.now)
    fill_with_strangers(table)
    effects = table.offer()
    assert ConfirmOffer(ALICE, CALL) in effects
    assert any(isinstance(effect, Emit) and isinstance(effect.event, IncomingCall) for effect in effects)


def test_so_does_who_was_called_before() -> None:
    table = Table()
    table.machine.handle(inputs.Offering((ALICE,), "bob", WALL_MS), table.now)
    table.machine.handle(inputs.Leaving(), table.now)
    fill_with_strangers(table)
    assert ConfirmOffer(ALICE, CALL) in table.offer()


def test_so_does_whose_audio_was_heard() -> None:
    table = Table()
    table.join()
    table.machine.handle(inputs.Connected(ALICE, 1), table.now)
    table.machine.handle(inputs.Leaving(), table.now)
    fill_with_strangers(table)
    again = CallId("cd" * 16)
    assert ConfirmOffer(ALICE, again) in table.offer(call=again)


def test_an_offer_without_a_place_is_not_confirmed_until_there_is_one() -> None:
    table = Table()
    fill_with_strangers(table)
    assert table.offer() == ()
    table.run(LAN.pending_silence_s + 1)
    assert ConfirmOffer(ALICE, CALL) in table.offer()
    assert ConfirmOffer(ALICE, CALL) in table.offer(), "again, if the first confirmation was lost"


def test_remembered_cancels_are_bounded() -> None:
    table = Table()
    for number in range(500):
        table.machine.handle(inputs.SignalHeard(MALLORY, Cancel(CallId(f"{number:032x}")), None), table.now)
    assert len(table.machine._call_table._cancelled) == LAN.max_cancelled_remembered


def test_our_numbers_cannot_be_used_up_by_what_others_claim() -> None:
    table = Table()
    table.offer()
    table.announce(ALICE, hears=(PeerReception(BOB, "connected", 2**53 - 1),))
    table.machine.handle(inputs.Accepting(CALL, "bob", WALL_MS), table.now)
    call = table.machine.snapshot(table.now).call
    assert call is not None
    assert call.incarnation == WALL_MS
    table.announce(ALICE, sequence=2, hears=(PeerReception(BOB, "connected", 2**53 - 1),))
    call = table.machine.snapshot(table.now).call
    assert call is not None
    assert call.incarnation == WALL_MS


@pytest.mark.parametrize("link", ["connected", "connecting"])
def test_a_leave_waits_for_the_word_of_those_whom_the_leaver_heard(link: str) -> None:
    table = Table()
    table.join(CAROL)
    table.announce(ALICE, hears=(PeerReception(CAROL, link, 3),))
    table.leave(ALICE)
    assert table.machine.current == CALL, "carol has come, although she was not heard yet"
    table.announce(CAROL, incarnation=3)
    table.run(LAN.hearsay_s + 1)
    assert table.machine.current == CALL


def test_who_has_just_come_waits_for_the_others_when_the_caller_goes() -> None:
    table = Table()
    table.join(CAROL)
    table.announce(ALICE)
    table.leave(ALICE)
    assert table.machine.current == CALL, (
        "carol may have come a moment before, and announced before we could hear it"
    )
    table.announce(CAROL, incarnation=3)
    table.run(LAN.newcomer_patience_s + 1)
    assert table.machine.current == CALL


def test_who_has_just_come_does_not_wait_for_nobody() -> None:
    table = Table()
    table.join(CAROL)
    table.announce(ALICE)
    table.leave(ALICE)
    table.run(LAN.newcomer_patience_s + 0.1)
    assert table.machine.current is None


def test_a_rumour_alone_does_not_keep_a_call() -> None:
    table = Table()
    table.join(CAROL)
    table.announce(ALICE, hears=(PeerReception(CAROL, "connected", 3),))
    table.leave(ALICE)
    table.run(LAN.hearsay_s + 0.1)
    assert table.machine.current is None


def test_an_offer_that_is_acknowledged_is_told_once() -> None:
    table = Table(ALICE)
    table.machine.handle(inputs.Offering((BOB,), "alice", WALL_MS), table.now)
    call = table.machine.current
    assert call is not None
    offer = Offer(call, bytes(32), (ALICE, BOB), "alice")
    told, early = table.machine.handle(inputs.SignalAcknowledged(BOB, offer), table.now)
    assert told == Emit(OfferDelivered(call_id=call, did=BOB))
    assert isinstance(early, DescribeEarly)
    assert table.machine.handle(inputs.SignalAcknowledged(BOB, offer), table.now) == ()
    assert table.machine.handle(inputs.SignalAcknowledged(BOB, Decline(call)), table.now) == ()


def test_after_shutdown_everything_is_ignored() -> None:
    table = Table()
    table.join()
    table.announce(ALICE)
    table.machine.handle(inputs.Ending(), table.now)
    assert table.announce(ALICE, sequence=2) == ()
    assert table.offer() == ()
    assert table.machine.next_timeout() is None
    assert table.ignored == {"stopped": 2}


_signals = st.one_of(
    st.builds(
        Offer,
        st.just(CALL),
        st.sampled_from((KEY, bytes(32))),
        st.sampled_from(((ALICE, BOB), (ALICE, BOB, CAROL), (CAROL, BOB))),
        st.just(""),
    ),
    st.builds(Cancel, st.just(CALL)),
    st.builds(Decline, st.just(CALL)),
    st.builds(
        SessionDescription,
        st.just(CALL),
        st.sampled_from(("offer", "answer")),
        st.integers(0, 6),
        st.sampled_from((0, WALL_MS, WALL_MS + 1)),
        st.integers(0, 2**53 - 1),
        st.just(""),
    ),
    st.builds(Redial, st.just(CALL), st.integers(0, 6), st.sampled_from((0, WALL_MS)), st.integers(0, 9)),
    st.builds(
        Announce,
        st.integers(0, 6),
        st.integers(0, 6),
        st.just(""),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.lists(
            st.builds(
                PeerReception,
                st.sampled_from((ALICE, BOB, CAROL, MALLORY)),
                st.sampled_from(("connected", "lost")),
                st.integers(0, 2**53 - 1),
            ),
            max_size=4,
        ).map(tuple),
    ),
    st.builds(Leave, st.integers(0, 6)),
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from((ALICE, BOB, CAROL, MALLORY)),
            _signals,
            st.sampled_from((None, CALL)),
            st.floats(0, 4),
        ),
        max_size=40,
    ),
    st.integers(0, 40),
)
def test_no_sequence_of_signals_breaks_the_machine(
    steps: list[tuple[Did, Signal, CallId | None, float]], accepts_at: int
) -> None:
    table = Table()
    for number, (sender, signal, call_id, wait_s) in enumerate(steps):
        table.machine.handle(inputs.SignalHeard(sender, signal, call_id), table.now)
        if number >= accepts_at and CALL in table.machine.pending:
            table.machine.handle(inputs.Accepting(CALL, "bob", WALL_MS), table.now)
        table.run(wait_s)
        view = table.machine.snapshot(table.now).call
        if view is not None:
            assert {p.did for p in view.participants} <= {ALICE, BOB, CAROL}
    table.machine.handle(inputs.Ending(), table.now)
    assert table.machine.snapshot(table.now).pending == ()
    assert table.machine.current is None
