"""Calls in virtual time: every figure is as the scenario makes it, and the same case gives the same bytes."""

import hashlib
import io
from collections import Counter

import msgspec
import numpy as np
import pytest
import soundfile

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.expectation.expectation import Window
from blink_cli.core.media.playout_decision import PlayoutAction
from blink_cli.lab.scenario.device_phases import LINK_UP_S
from blink_cli.lab.scenario.observation import Observation
from blink_cli.lab.verdict.figures import PairFigures
from blink_cli.lab.virtual.engine import run_virtual
from blink_cli.lab.voice_metrics import spoken_windows
from blink_cli.record.recording.sidecar import Sidecar
from tests.lab.scenario.reading import one_case

pytestmark = pytest.mark.no_clock

HEAD = 'duration = 8\nexpect = ["pesq > 1"]\n'


def seen_of(text: str, head: str = HEAD) -> dict[tuple[str, str], PairFigures]:
    """Run a scenario and return the figures of every pair."""
    seen = run_virtual(one_case(head + text))
    return {(pair.speaker, pair.listener): PairFigures(seen, pair) for pair in seen.pairs}


def fingerprint(seen: Observation) -> str:
    sounds = [pair.heard for pair in seen.pairs] + list(seen.speakers.values())
    told = repr([(pair.sent_at, pair.arrived, pair.talking, pair.readings) for pair in seen.pairs])
    return hashlib.sha256(b"".join(sound.tobytes() for sound in sounds) + told.encode()).hexdigest()


def test_a_clean_call_is_whole_and_quick() -> None:
    pair = seen_of("")["alice", "bob"]
    assert pair.loss() == 0.0
    pesq = pair.pesq()
    assert pesq is not None
    assert pesq > 4.2
    delays = [delay_s for at_s, delay_s in pair.delay if at_s > 5]
    assert 0.030 < min(delays) <= max(delays) < 0.080
    assert pair.gaps() == []
    assert pair.pair.connected == [(LINK_UP_S, 8.0)]


def test_the_same_case_gives_the_same_bytes_and_another_seed_others() -> None:
    case = one_case(HEAD + '[[network]]\nline = "loss=10% burst=3 jitter=20ms duplicate=2% corrupt=1%"\n')
    first, again, other = (fingerprint(run_virtual(one)) for one in (case, case, case.with_seed(2)))
    assert first == again
    assert first != other


def test_the_line_does_what_is_said_from_its_moment_on_in_its_direction() -> None:
    pairs = seen_of(
        """
        [[network]]
        at = 4
        from = "alice"
        line = "loss=30% delay=100ms"
        """
    )
    there, back = pairs["alice", "bob"], pairs["bob", "alice"]
    assert there.loss(Window(None, 4.0)) == 0.0
    lost = there.loss(Window(4.0, 8.0))
    assert lost is not None
    assert 0.2 < lost < 0.4
    assert back.loss() == 0.0
    before = [delay_s for at_s, delay_s in there.delay if at_s < 3.4]
    after = [delay_s for at_s, delay_s in there.delay if at_s > 5.5]
    # A packet of 20 ms, 6.5 ms of codec, ticks of 10 ms, and the playout's opening delay of 55 ms, which no pause has shortened yet: 91.75 ms. With 45 it is 81.75.
    assert np.median(before) < 0.095
    assert 0.126 < np.median(after) < 0.3, "the line, a packet and the codec at least"
    recovered = there.share("packets_recovered", "packets_received", Window(5.0, 8.0))
    assert recovered is not None
    assert recovered > 0.15


def test_copies_come_twice_and_wrong_bits_are_refused() -> None:
    pair = seen_of('[[network]]\nline = "duplicate=20% corrupt=20%"\n')["alice", "bob"]
    packets = len(pair.pair.sent_at)
    assert 0.1 * packets < pair.pair.packets_duplicated < 0.3 * packets
    assert 0.1 * packets < pair.pair.packets_corrupted < 0.3 * packets
    lost = pair.loss()
    assert lost is not None
    assert 0.08 < lost < 0.25, "those of which the copy was whole came"


def test_who_is_muted_is_not_heard() -> None:
    pair = seen_of(
        """
        [[step]]
        at = 3
        who = "alice"
        do = "mute"
        [[step]]
        at = 6
        who = "alice"
        do = "unmute"
        """
    )["alice", "bob"]
    assert pair.heard(Window(3.2, 5.5)) is False
    assert isinstance(pair.heard(Window(6.2, 8.0)), float)
    assert pair.talking(Window(3.5, 5.8)) is False
    pesq = pair.pesq(Window(2.5))
    assert pesq is not None
    assert pesq > 3.9, "what was not to be heard is not missed"


def test_three_come_and_go() -> None:
    pairs = seen_of(
        """
        speech = "together"
        [[participant]]
        name = "alice"
        [[participant]]
        name = "bob"
        [[participant]]
        name = "carol"
        [[step]]
        at = 2
        who = "carol"
        do = "join"
        [[step]]
        at = 5
        who = "bob"
        do = "leave"
        """
    )
    assert pairs["carol", "alice"].heard(Window(None, 1.5)) is None, "it has no microphone yet"
    assert isinstance(pairs["carol", "alice"].heard(Window(2.2, 5.0)), float)
    assert pairs["bob", "carol"].pair.connected == [(2 + LINK_UP_S, 5.0)]
    assert pairs["bob", "alice"].heard(Window(5.3, 8.0)) is False
    assert isinstance(pairs["carol", "alice"].heard(Window(5.3, 8.0)), float)


@pytest.mark.parametrize(("length_s", "most_lost_s"), [(0.3, 0.35), (1.5, 1.7)])
def test_one_that_stands_still_goes_on(length_s: float, most_lost_s: float) -> None:
    pairs = seen_of(
        f"""
        [[step]]
        at = 3
        who = "bob"
        do = "stop"
        [[step]]
        at = {3 + length_s}
        who = "bob"
        do = "continue"
        """
    )
    there, back = pairs["alice", "bob"], pairs["bob", "alice"]
    assert isinstance(there.heard(Window(6.0, 8.0)), float)
    assert isinstance(back.heard(Window(6.0, 8.0)), float)
    gone_s = sum(end_s - start_s for start_s, end_s in back.gaps(Window(2.9, 6.0)))
    assert gone_s < most_lost_s
    late = [delay_s for at_s, delay_s in there.delay if at_s > 7]
    assert np.median(late) < 0.15, "what was missed is not listened to later"


def test_one_that_is_killed_comes_back_as_another_stream() -> None:
    pairs = seen_of(
        """
        [[step]]
        at = 3
        who = "bob"
        do = "kill"
        [[step]]
        at = 4
        who = "bob"
        do = "restart"
        """
    )
    back = pairs["bob", "alice"]
    assert back.pair.connected == [(LINK_UP_S, 3.0), (pytest.approx(5.1), 8.0)]
    assert back.heard(Window(3.2, 3.75)) is False
    assert isinstance(back.heard(Window(5.5, 8.0)), float)
    assert isinstance(pairs["alice", "bob"].heard(Window(5.5, 8.0)), float)


RECORDED = """
duration = 5
expect = ["heard"]
    [[network]]
    line = "loss=5% delay=40ms jitter=5ms"
    [[step]]
    at = 0.5
    who = "alice"
    do = "record"
    [[step]]
    at = 2
    who = "bob"
    do = "mute"
    [[step]]
    at = 3
    who = "bob"
    do = "unmute"
    [[step]]
    at = 4.5
    who = "alice"
    do = "stop-recording"
    """


def test_a_recording_holds_everybody_in_place_and_is_the_same_each_time() -> None:
    case = one_case(RECORDED)
    seen, again = run_virtual(case), run_virtual(case)
    assert seen.recordings == again.recordings, "to the byte"
    assert [(kept.kind, kept.participants) for kept in seen.recordings] == [
        ("mp4", ("alice", "bob")),
        ("sidecar", ("alice", "bob")),
        ("wav", ("alice",)),
        ("wav", ("bob",)),
    ]
    sidecar = msgspec.json.decode(seen.recordings[1].content, type=Sidecar)
    assert sidecar.finished
    gaps = [gap for gap in sidecar.participants[1].gaps if gap.reason == "muted"]
    assert gaps, "bob was muted from 1.5 s of the recording on"
    assert 1.4 < gaps[0].from_s < gaps[-1].to_s < 2.7
    for kept in seen.recordings[2:]:
        recorded, rate_hz = soundfile.read(io.BytesIO(kept.content), dtype="float32")
        assert rate_hz == SAMPLE_RATE_HZ
        assert kept.duration_s == pytest.approx(4.0, abs=0.05)
        said = seen.microphones[kept.participants[0]][SAMPLE_RATE_HZ // 2 :]
        recorded = np.pad(recorded, (SAMPLE_RATE_HZ // 10, 0))  # what is early is found too
        windows = spoken_windows(said[: 4 * SAMPLE_RATE_HZ : 3], recorded[::3])
        # Where bob's clock is known, and he is not muted any more.
        late_ms = [delay_ms - 100 for at_s, delay_ms in windows if at_s > 2.6 and delay_ms is not None]
        assert len(late_ms) >= 3
        assert max(abs(late) for late in late_ms) < 15, kept.participants


def test_who_is_killed_leaves_no_recording() -> None:
    steps = [(1, "record"), (3, "kill"), (4, "restart")]
    text = "".join(f'[[step]]\nat = {at}\nwho = "bob"\ndo = "{do}"\n' for at, do in steps)
    seen = run_virtual(one_case('duration = 5\nexpect = ["heard"]\n' + text))
    assert seen.recordings == []
    assert len(seen.notes) == 1
    assert "bob was killed while it recorded" in seen.notes[0]


def test_a_step_that_cannot_be_is_noted() -> None:
    seen = run_virtual(one_case(HEAD + '[[step]]\nat = 3\nwho = "bob"\ndo = "unmute"\n'))
    assert seen.notes == ["At 3 s bob could not unmute."]


def test_a_word_is_told_soon() -> None:
    pair = seen_of(
        """
        [[step]]
        at = 2
        who = "alice"
        do = "speak"
        what = "tone:300"
        for = "2s"
        [[participant]]
        name = "alice"
        voice = "tone:300"
        [[participant]]
        name = "bob"
        voice = "silence"
        """
    )["alice", "bob"]
    after = pair.talking()
    assert isinstance(after, float)
    assert 0.0 < after < 0.2
    assert pair.talking(Window(5.0, 8.0)) is False


def test_another_microphone_is_heard_from_its_moment_on() -> None:
    pair = seen_of(
        """
        [[step]]
        at = 4
        who = "alice"
        do = "set-input"
        what = "low"
        [[step]]
        at = 6
        who = "alice"
        do = "stop"
        [[step]]
        at = 6.003
        who = "alice"
        do = "continue"
        """
    )["alice", "bob"]
    found = [at_s for at_s, delay_s in pair.delay if delay_s < 0.12]
    assert min(found) < 1.0
    assert any(4.2 < at_s < 5.5 for at_s in found)
    assert any(6.2 < at_s < 8.0 for at_s in found)
    spoken_s = 8.0 + 1.0 - LINK_UP_S
    assert len(pair.pair.sent_at) == pytest.approx(spoken_s / 0.02, abs=3), "nothing is sent twice"


def test_of_three_who_lose_a_fifth_each_link_takes_the_protection_that_fits_it() -> None:
    pairs = seen_of(
        """
        speech = "together"
        [[participant]]
        name = "alice"
        [[participant]]
        name = "bob"
        [[participant]]
        name = "carol"
        [[network]]
        line = "loss=20% delay=1ms"
        [[network]]
        from = "carol"
        line = "loss=20% delay=50ms"
        [[network]]
        to = "carol"
        line = "loss=20% delay=50ms"
        """,
        head='duration = 14\nexpect = ["heard"]\n',
    )
    later = Window(4.0, None)
    for (speaker, listener), pair in pairs.items():
        repairs = Counter(line.action for line in pair.pair.decisions if later.holds(line.time_s))
        sent = [
            size
            for at_s, size in zip(pair.pair.sent_at, pair.pair.sent_bytes, strict=True)
            if later.holds(at_s)
        ]
        concealed = pair.share("concealed_samples", "total_samples", later)
        assert concealed is not None
        assert concealed < 0.02
        if "carol" in (speaker, listener):
            # What is asked for comes too late: copies, of which some go once more without being asked for.
            assert repairs[PlayoutAction.COPY] > 50
            assert 0 < repairs[PlayoutAction.RESENT] < repairs[PlayoutAction.COPY] / 2
            assert 200 < np.mean(sent) < 320
        else:
            # What is asked for comes sooner than a copy: no copies.
            assert repairs[PlayoutAction.RESENT] > 50
            assert not repairs[PlayoutAction.COPY]
            assert np.mean(sent) < 100


def test_copies_that_fill_a_narrow_line_are_taken_away_and_the_delay_comes_down() -> None:
    pair = seen_of(
        """
        [[network]]
        from = "alice"
        line = "rate=80kbit/s queue=300ms delay=20ms"

        [[network]]
        at = 3
        from = "alice"
        line = "rate=40kbit/s queue=300ms delay=20ms"

        [[network]]
        at = 4
        from = "alice"
        line = "rate=80kbit/s queue=300ms delay=20ms"
        """,
        head='duration = 20\nexpect = ["heard"]\n',
    )["alice", "bob"]
    lossy = pair.loss(Window(3.0, 9.0))
    assert lossy is not None
    assert lossy > 0.02
    assert pair.loss(Window(10.0, None)) == 0.0
    assert max(delay_s for at_s, delay_s in pair.delay if at_s > 18) < 0.2


def test_the_copies_that_a_call_opens_with_fit_on_a_narrow_line() -> None:
    pair = seen_of('[[network]]\nline = "rate=100kbit/s queue=100ms delay=1ms"\n')["alice", "bob"]
    assert pair.loss() == 0.0
    assert pair.counted("concealed_samples") == 0


@pytest.mark.parametrize(("rate_kbps", "lost_later"), [(80, 0.0), (48, 0.7)])
def test_requests_do_not_fill_a_narrow_line(rate_kbps: int, lost_later: float) -> None:
    """On the narrower one the voice alone does not fit: there it is copies that bring it through."""
    pair = seen_of(
        f'[[network]]\nline = "rate={rate_kbps}kbit/s queue=100ms delay=1ms"\n',
        head='duration = 16\nexpect = ["heard"]\n',
    )["alice", "bob"]
    later = Window(8.0, None)
    lost, concealed = pair.loss(later), pair.share("concealed_samples", "total_samples", later)
    assert lost is not None
    assert concealed is not None
    assert lost <= lost_later
    assert concealed < 0.1


def test_a_run_that_nobody_wants_any_more_ends_at_once() -> None:
    asked = 0

    def wanted() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_virtual(one_case('duration = 600\nexpect = ["heard"]\n'), wanted=wanted)
