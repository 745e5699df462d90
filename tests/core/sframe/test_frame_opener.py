"""Each ciphertext passes once, under a known key."""

from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.sframe.frame_key import FrameKey
from blink_cli.core.sframe.frame_opener import FrameOpener
from blink_cli.core.sframe.replay_window import MAX_KEYS, WINDOW, ReplayWindow, ReplayWindows

ANN, BOB = FrameKey(1, b"a" * 16), FrameKey(2, b"b" * 16)


def opener() -> FrameOpener[str]:
    return opener_with(ReplayWindows())


def opener_with(windows: ReplayWindows) -> FrameOpener[str]:
    made = FrameOpener[str](windows)
    made.add(ANN, "ann")
    made.add(BOB, "bob")
    return made


def test_it_tells_whose_it_is() -> None:
    opening = opener()
    assert opening.open(ANN.seal(0, b"one")) == ("ann", b"one")
    assert opening.open(BOB.seal(0, b"two")) == ("bob", b"two")
    assert opening.counters.refused == 0


def test_what_comes_twice_is_refused_and_counted() -> None:
    opening = opener()
    sealed = ANN.seal(5, b"one")
    assert opening.open(sealed) is not None
    assert opening.open(sealed) is None
    assert opening.open(ANN.seal(4, b"late")) == ("ann", b"late")
    opening.add(ANN, "ann")  # again: what has come stays known
    assert opening.open(sealed) is None
    assert opening.counters.replayed == 2


def test_what_is_forged_is_counted_and_takes_no_number() -> None:
    opening = opener()
    sealed = ANN.seal(9, b"one")
    assert opening.open(sealed[:-1] + bytes((sealed[-1] ^ 1,))) is None
    assert opening.open(sealed) == ("ann", b"one")
    assert opening.open(b"") is None
    assert opening.open(FrameKey(3, b"c" * 16).seal(0, b"x")) is None
    counters = opening.counters
    assert (counters.forged, counters.malformed, counters.of_unknown_key) == (1, 1, 1)


def test_a_forgotten_key_opens_nothing() -> None:
    opening = opener()
    opening.keep_only(frozenset({BOB.kid}))
    assert opening.open(ANN.seal(0, b"one")) is None
    assert BOB.kid in opening
    assert ANN.kid not in opening


def test_what_has_come_is_known_to_who_hears_the_same_stream_again() -> None:
    windows = ReplayWindows()
    opening = opener_with(windows)
    sealed = ANN.seal(7, b"one")
    assert opening.open(sealed) is not None
    opening.keep_only(frozenset())
    opening.add(ANN, "ann")
    assert opening.open(sealed) is None
    in_the_next_visit = opener_with(windows)
    assert in_the_next_visit.open(sealed) is None
    assert in_the_next_visit.counters.replayed == 1
    assert in_the_next_visit.open(ANN.seal(8, b"two")) is not None


def test_as_many_keys_are_remembered_as_are_used_and_not_more() -> None:
    windows = ReplayWindows()
    first = windows.of(0)
    first.came(1)
    for kid in range(1, MAX_KEYS):
        windows.of(kid)
    assert windows.of(0) is first
    windows.of(MAX_KEYS)
    assert windows.of(0) is first
    for kid in range(MAX_KEYS, 2 * MAX_KEYS):
        windows.of(kid)
    assert windows.of(0).is_new(1)


@given(st.lists(st.integers(0, 3 * WINDOW), max_size=200))
def test_a_number_passes_once_unless_it_is_old(numbers: list[int]) -> None:
    window, came, highest = ReplayWindow(), set[int](), -1
    for number in numbers:
        expected = number not in came and number > highest - WINDOW
        assert window.is_new(number) is expected
        if expected:
            window.came(number)
            came.add(number)
            highest = max(highest, number)
