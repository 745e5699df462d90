import pytest

from blink_cli.core.ids import Did
from blink_cli.core.media.automute import FLOOR_S, HOLD_S, Automute

BOB, CAROL = Did("did:key:bob"), Did("did:key:carol")


@pytest.fixture
def automute() -> Automute:
    return Automute(enabled=True)


def mutes(automute: Automute) -> bool:
    return automute.muting


def test_it_mutes_while_a_peer_talks_and_a_moment_longer(automute: Automute) -> None:
    automute.on_peer(BOB, 1.0, talking=True)
    assert mutes(automute)
    assert automute.next_timeout() is None
    automute.on_peer(BOB, 3.0, talking=False)
    assert automute.next_timeout() == 3.0 + HOLD_S
    automute.handle_timeout(3.0 + HOLD_S - 0.01)
    assert mutes(automute)
    automute.handle_timeout(3.0 + HOLD_S)
    assert not mutes(automute)
    assert automute.next_timeout() is None


def test_who_talks_again_in_that_moment_goes_on_muting(automute: Automute) -> None:
    automute.on_peer(BOB, 1.0, talking=True)
    automute.on_peer(BOB, 3.0, talking=False)
    automute.on_peer(BOB, 3.1, talking=True)
    automute.handle_timeout(3.0 + HOLD_S)
    assert mutes(automute)


def test_the_last_of_several_ends_it(automute: Automute) -> None:
    for peer, talking in ((BOB, True), (CAROL, True), (BOB, False)):
        automute.on_peer(peer, 1.0, talking=talking)
    assert automute.next_timeout() is None
    automute.on_peer(CAROL, 2.0, talking=False)
    assert automute.next_timeout() == 2.0 + HOLD_S


def test_who_talks_first_is_not_cut(automute: Automute) -> None:
    automute.on_own_voice(1.0, voice=True)
    automute.on_peer(BOB, 1.5, talking=True)
    assert not mutes(automute)
    automute.on_own_voice(4.0, voice=False)
    assert mutes(automute), "the other still talks"


def test_a_beginning_is_not_cut_while_nobody_else_talks(automute: Automute) -> None:
    for at in (1.0, 2.0, 3.0):
        automute.on_own_voice(at, voice=True)
        assert not mutes(automute)
        automute.on_own_voice(at + 0.5, voice=False)


def test_what_is_heard_of_the_others_from_the_speaker_gives_no_floor(automute: Automute) -> None:
    automute.on_peer(BOB, 1.0, talking=True)
    automute.on_own_voice(1.2, voice=True)
    automute.on_peer(BOB, 3.0, talking=False)
    automute.handle_timeout(3.0 + HOLD_S)
    assert not mutes(automute)
    automute.on_peer(BOB, 3.0 + HOLD_S + 0.1, talking=True)
    assert mutes(automute), "the voice may be the echo of the sentence before"


def test_a_voice_that_goes_on_when_nobody_is_muted_is_ones_own(automute: Automute) -> None:
    automute.on_peer(BOB, 1.0, talking=True)
    automute.on_own_voice(2.5, voice=True)
    automute.on_peer(BOB, 3.0, talking=False)
    opened_at = 3.0 + HOLD_S
    automute.handle_timeout(opened_at)
    assert automute.next_timeout() == opened_at + FLOOR_S
    automute.handle_timeout(opened_at + FLOOR_S)
    automute.on_peer(BOB, 5.0, talking=True)
    assert not mutes(automute)


def test_it_can_be_switched_in_the_middle() -> None:
    automute = Automute()
    automute.on_peer(BOB, 1.0, talking=True)
    assert not mutes(automute)
    automute.set_enabled(2.0, enabled=True)
    assert mutes(automute)
    automute.set_enabled(3.0, enabled=False)
    assert not mutes(automute)


def test_the_end_of_the_call_ends_it(automute: Automute) -> None:
    automute.on_peer(BOB, 1.0, talking=True)
    automute.clear()
    assert not mutes(automute)
    automute.on_own_voice(2.0, voice=True)
    automute.on_peer(BOB, 3.0, talking=True)
    assert not mutes(automute)
