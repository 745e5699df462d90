"""A track's row of packets: seamless, in time, whatever comes and does not come."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blink_cli.core.media import red
from blink_cli.core.media.opus_packet import packet_samples
from blink_cli.core.media.rtp import EncodedFrame, RtpPacket
from blink_cli.record.recording.gaps import GapReason, Span
from blink_cli.record.recording.track import Track
from tests.support.executed_lines import counting_lines

pytestmark = pytest.mark.no_clock

OPUS, RED = 96, 63
FRAME = 960
FIRST = 1200


def frame(number: int) -> bytes:
    """A packet of 20 ms that can be told from all others and from fillers."""
    return b"\x48" + number.to_bytes(4, "big")


def packet(
    number: int, at_s: float, *, ssrc: int = 1, base: int = 0, level: int = -20, **changed: int
) -> RtpPacket:
    fields = {"sequence": number & 0xFFFF, "timestamp": (base + number * FRAME) & 0xFFFFFFFF} | changed
    return RtpPacket(
        ssrc,
        fields["sequence"],
        fields["timestamp"],
        OPUS,
        marker=False,
        payload=frame(number),
        arrival_s=at_s,
        audio_level_dbov=level,
    )


class Row:
    """A track and what it gave, of a recording that begins 25 ms before its senders do: every track begins with fillers of that length."""

    def __init__(self, *, linked: bool = True) -> None:
        self.packets: list[tuple[bytes, int, int]] = []
        self.length = 0
        self.track = Track(-FIRST / 48_000, self._take, payload_types=(OPUS, RED) if linked else None)

    def _take(self, payload: bytes, place: int, samples: int) -> None:
        assert place == self.length, "the row has no holes"
        self.length += samples
        assert packet_samples(payload) == samples
        self.packets.append((payload, place, samples))

    def until(self, now_s: float) -> None:
        self.track.advance(now_s, now_s - 0.5)

    def end(self, now_s: float) -> None:
        end = -(-self.track.finish(now_s) // FRAME) * FRAME
        self.track.pad(end)

    def places(self) -> dict[int, int]:
        """Where the real packets stand, counted from where the senders begin."""
        return {
            int.from_bytes(payload[1:], "big"): place - FIRST
            for payload, place, _ in self.packets
            if payload[0] == 0x48 and len(payload) == 5
        }

    def reasons(self) -> list[tuple[int, int, GapReason]]:
        """The gaps, but for the first filler."""
        return [(gap.start, gap.end, gap.reason) for gap in self.track.gaps.gaps if gap.end > FIRST]


def run(row: Row, packets: list[RtpPacket], until_s: float) -> None:
    step_s = 0.2
    for one in sorted(packets, key=lambda p: p.arrival_s):
        while one.arrival_s > step_s:
            row.until(step_s)
            step_s += 0.2
        row.track.received(one)
    row.end(until_s)


def test_what_arrives_in_time_stands_in_a_row_without_fillers() -> None:
    row = Row()
    run(row, [packet(n, (n + 1) * 0.02 + 0.001) for n in range(200)], 4.01)
    assert len(row.places()) == 200
    assert all(payload[0] == 0x48 for payload, place, _ in row.packets if FIRST <= place < 199 * FRAME)


def test_reordered_and_doubled_packets_stand_once_and_in_order() -> None:
    source = random.Random(4)
    packets = [
        packet(n, (n + 1) * 0.02 + (source.uniform(0.001, 0.2) if n % 20 else 0.001)) for n in range(300)
    ]
    row = Row()
    run(row, [*packets, *packets[::7]], 6.05)
    places = row.places()
    assert sorted(places) == list(range(300))
    assert all(places[n + 1] - places[n] == FRAME for n in range(10, 299))


def test_what_was_said_before_the_recording_began_is_not_late() -> None:
    """Delayed packets and redundant copies bring it after the beginning."""
    row = Row()
    base = -6 * FRAME
    before = [packet(n, 0.005 + n * 1e-4, base=base) for n in range(6)]
    row_packets = [packet(n, (n - 5) * 0.02 + 0.001, base=base) for n in range(6, 106)]
    run(row, [*before, *row_packets], 2.01)
    assert sorted(row.places()) == list(range(6, 106))
    assert row.track.counters.frames_late == 0


def test_a_loss_is_concealed_and_said_and_a_copy_takes_its_place() -> None:
    packets = [packet(n, (n + 1) * 0.02) for n in range(100) if n not in {40, 41, 60}]
    row = Row()
    copies = {61: red.pack(frame(61), 61 * FRAME, [(60 * FRAME, frame(60))], OPUS)}
    packets = [
        RtpPacket(
            1,
            p.sequence_number,
            p.timestamp,
            RED,
            marker=False,
            payload=copies[p.sequence_number],
            arrival_s=p.arrival_s,
        )
        if p.sequence_number in copies
        else p
        for p in packets
    ]
    run(row, packets, 2.01)
    assert sorted(row.places()) == [n for n in range(100) if n not in {40, 41}]
    assert row.track.counters.frames_recovered == 1
    assert [(end - start, reason) for start, end, reason in row.reasons()] == [(2 * FRAME, GapReason.LOST)]
    lost_at = row.places()[39] + FRAME + FIRST
    fillers = [payload for payload, place, _ in row.packets if lost_at <= place < lost_at + 2 * FRAME]
    assert fillers == [b"\xfb\x01", b"\xfb\x01"]


@pytest.mark.parametrize(
    ("level", "reason"), [(-60, GapReason.DTX), (-20, GapReason.ABSENT)], ids=["in quiet", "in a word"]
)
def test_a_pause_of_the_sender_is_not_a_loss(level: int, reason: GapReason) -> None:
    packets = [
        packet(n, (n + 1) * 0.02, level=level, sequence=n if n < 50 else n - 20)
        for n in range(100)
        if not 50 <= n < 70
    ]
    row = Row()
    run(row, packets, 2.01)
    assert [reason for _, _, reason in row.reasons()] == [reason]
    assert row.places()[70] - row.places()[49] == 21 * FRAME
    silent = [payload for payload, place, _ in row.packets if place == row.places()[49] + 9 * FRAME + FIRST]
    assert silent == [b"\xf8\xff\xfe"]


def test_mute_is_the_reason_where_it_was_shown() -> None:
    row = Row()
    row.track.set_muted(muted=True, now_s=1.0)
    packets = [
        packet(n, (n + 1) * 0.02, sequence=n if n < 50 else n - 20) for n in range(100) if not 50 <= n < 70
    ]
    row.track.set_muted(muted=False, now_s=1.4)
    run(row, packets, 2.01)
    assert {reason for _, _, reason in row.reasons()} == {GapReason.MUTED}


def test_another_stream_goes_on_in_the_same_track_and_the_time_between_is_absence() -> None:
    row = Row()
    first = [packet(n, (n + 1) * 0.02) for n in range(100)]
    second = [packet(n, (n + 1) * 0.02, ssrc=2, base=3_000_000_000) for n in range(200, 300)]
    step_s = 0.2
    for one in [*first, *second]:
        while one.arrival_s > step_s:
            row.until(step_s)
            step_s += 0.2
        if one is second[0]:
            row.track.link_ended(2.0)
            row.track.link_connected(OPUS, RED, 3.99)
        row.track.received(one)
    row.end(6.01)
    places = row.places()
    assert places[200] == pytest.approx(200 * FRAME, abs=120)
    assert places[299] - places[200] == 99 * FRAME
    absent = [(start, end) for start, end, reason in row.reasons() if reason is GapReason.ABSENT]
    assert absent
    assert sum(end - start for start, end in absent) == pytest.approx(100 * FRAME, abs=600)
    assert [(s.start, s.end) for s in row.track.stints()] == [(0, 97_200), (192_720, row.track.cursor)]


def test_a_jump_of_the_timestamps_is_followed_and_a_freeze_is_not_taken_for_one() -> None:
    row = Row()
    jumped = [packet(n, (n + 1) * 0.02, base=0 if n < 150 else 700_000_000) for n in range(300)]
    run(row, jumped, 6.01)
    places = row.places()
    assert places[299] == pytest.approx(299 * FRAME, abs=120)
    assert places[155] == pytest.approx(155 * FRAME, abs=120)
    frozen = Row()
    run(frozen, [packet(n, max((n + 1) * 0.02, 3.8 if 150 <= n < 190 else 0)) for n in range(300)], 6.01)
    places = frozen.places()
    assert places[299] == pytest.approx(299 * FRAME, abs=120)
    assert places[149] == pytest.approx(149 * FRAME, abs=120)


@pytest.mark.parametrize("ppm", [-150, 150])
def test_drift_is_corrected_by_milliseconds_in_quiet_moments(ppm: int) -> None:
    row = Row()
    count = 50 * 300
    rate = 1 + ppm * 1e-6
    run(
        row,
        [packet(n, (n + 1) * 0.02 / rate + 0.001, level=-70 if n % 100 == 0 else -20) for n in range(count)],
        count * 0.02 / rate + 0.01,
    )
    counters = row.track.counters
    assert 5 <= counters.clock_corrections <= 12
    assert abs(counters.clock_samples - (-count * FRAME * ppm * 1e-6)) < 600
    for number, place in row.places().items():
        assert abs(place / 48_000 - number * 0.02 / rate) < 0.012
    assert not row.reasons()


@pytest.mark.parametrize(
    ("level", "reason"), [(-60, GapReason.DTX), (-20, GapReason.ABSENT)], ids=["in quiet", "in a word"]
)
def test_own_frames_are_never_lost_and_their_pauses_are_pauses(level: int, reason: GapReason) -> None:
    row = Row(linked=False)
    step_s = 0.2
    for number in range(200):
        at_s = (number + 1) * 0.02 + 0.001
        while at_s > step_s:
            row.until(step_s)
            step_s += 0.2
        if not 50 <= number < 60:
            row.track.captured(EncodedFrame(frame(number), number * FRAME, FRAME, level), at_s)
    row.end(4.0)
    assert len(row.places()) == 190
    assert [(end - start, reason) for start, end, reason in row.reasons()] == [(10 * FRAME, reason)]


def test_what_was_not_captured_is_no_pause() -> None:
    row = Row(linked=False)
    for number in [*range(50), *range(60, 100)]:
        missing = 10 * FRAME if number == 60 else 0
        own = EncodedFrame(
            frame(number), number * FRAME, FRAME, -127, captured_at=number * 0.02, missing_before=missing
        )
        row.track.captured(own, number * 0.02 + 0.02)
    row.end(2.0)
    assert [(end - start, reason) for start, end, reason in row.reasons()] == [(10 * FRAME, GapReason.ABSENT)]


def test_own_frames_stand_where_they_were_captured_however_late_the_loop_was() -> None:
    row = Row(linked=False)
    for number in range(100):
        at_s = number * 0.02
        late_s = 0.3 if number % 10 else 0.1
        row.track.captured(
            EncodedFrame(frame(number), number * FRAME, FRAME, -20, captured_at=at_s), at_s + late_s
        )
    row.end(2.5)
    assert row.places() == {number: number * FRAME for number in range(100)}


@pytest.mark.parametrize("step_s", [0.03, 0.1, 0.3, 0.45, -0.03, -0.1, -0.3, -0.45])
@pytest.mark.parametrize("jitter_s", [0.0, 0.004])
def test_a_step_that_all_packets_agree_on_is_placed_at_once_and_listed(
    step_s: float, jitter_s: float
) -> None:
    source = random.Random(3)
    packets = []
    for number in range(1000):
        # A sound card that left `step_s` out, or a stream that brought it twice: RTP time goes on and does not know.
        at_s = (number + 1) * 0.02 + (step_s if number >= 500 else 0.0)
        at_s = max(at_s, 10.001 if number >= 500 else 0.0)
        packets.append(packet(number, at_s + source.uniform(0, jitter_s)))
    row = Row()
    run(row, sorted(packets, key=lambda p: p.arrival_s), 20.5 + step_s)
    for number, place in row.places().items():
        truth_s = number * 0.02 + (step_s if number >= 500 else 0.0)
        settled = number < 500 or number > 515 + 50 * max(-step_s, 0)
        assert abs(place / 48_000 - truth_s) < (0.02 if settled else 0.5), number
    assert row.track.counters.clock_corrections <= 1
    assert [step.step_s for step in row.track.steps] == pytest.approx([step_s], abs=jitter_s + 0.001)
    if step_s > 0:
        start, end, reason = row.reasons()[0]
        assert reason is GapReason.ABSENT
        assert end - start == pytest.approx(step_s * 48_000, abs=960)


def test_a_queue_on_the_way_is_no_step() -> None:
    """It fills up over a second, stays full for three, and empties: what was said when does not change."""
    delays_s = {50 * second + n: 0.0 for second in range(20) for n in range(50)}
    for number in range(300, 550):
        delays_s[number] = 0.3 * min((number - 300) / 50, 1.0, (550 - number) / 50)
    row = Row()
    run(row, [packet(n, (n + 1) * 0.02 + delay_s) for n, delay_s in delays_s.items()], 20.5)
    for number, place in row.places().items():
        assert abs(place / 48_000 - number * 0.02) < 0.011
    assert row.track.steps == []


def test_a_freeze_of_the_network_is_no_step() -> None:
    row = Row()
    run(row, [packet(n, max((n + 1) * 0.02, 6.4 if 300 <= n < 320 else 0.0)) for n in range(1000)], 20.5)
    assert row.track.steps == []
    assert row.track.counters.clock_corrections == 0
    assert len(row.places()) == 1000


def test_strangers_bytes_do_no_harm() -> None:
    row = Row()
    good = [packet(n, (n + 1) * 0.02) for n in range(50)]
    source = random.Random(9)
    bad = [
        RtpPacket(
            1,
            source.randrange(1 << 16),
            source.randrange(1 << 32),
            kind,
            marker=False,
            payload=source.randbytes(size),
            arrival_s=0.5,
        )
        for kind in (OPUS, RED, 0)
        for size in (0, 1, 2, 3, 40, 1400, 3000)
    ]
    run(row, [*good, *bad], 1.01)
    places = row.places()
    assert set(range(50)) <= set(places)
    assert places[49] == pytest.approx(49 * FRAME, abs=120)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 120), st.floats(0, 0.9), st.integers(1, 3), st.integers(0, 3)), max_size=80
    )
)
def test_whatever_comes_the_row_has_no_holes_and_ends_in_time(
    wanted: list[tuple[int, float, int, int]],
) -> None:
    row = Row()
    packets = [
        packet(n, (n + 1) * 0.02 + delay_s, ssrc=ssrc, base=base * 1_000_000_000)
        for n, delay_s, ssrc, base in wanted
    ]
    run(row, packets, 4.0)
    assert row.track.cursor % FRAME == 0
    assert 3.98 * 48_000 <= row.track.cursor <= 4.2 * 48_000


def test_mutes_links_and_drops_without_end_are_kept_in_bounded_space() -> None:
    row = Row()
    for number in range(5_000):
        at_s = number / 1_000
        row.track.set_muted(muted=True, now_s=at_s)
        row.track.set_muted(muted=False, now_s=at_s + 0.0005)
        row.track.link_ended(at_s)
        row.track.link_connected(OPUS, RED, at_s + 0.0005)
        row.track.set_overloaded(Span(number * 48, number * 48 + 1))
    assert (len(row.track.muted), len(row.track.overloaded), len(row.track.linked)) == (2_000, 2_000, 2_000)
    assert row.track.linked[-1].end == pytest.approx(4.999 * 48_000, abs=2_000)
    row.end(8.0)
    assert row.track.muted == row.track.overloaded == [], "they have explained what there was"


@pytest.mark.parametrize("steps", [(1_000,), (30_000, -29_990), (-1,), (1, 25, -24, 2_000)], ids=str)
def test_who_jumps_in_numbers_and_times_spends_no_work_and_no_sound(steps: tuple[int, ...]) -> None:
    row = Row()
    number = 100_000
    with counting_lines() as lines:
        for index in range(1_000):
            number += steps[index % len(steps)]
            row.track.received(packet(number, index * 0.02))
            if index % 10 == 0:
                row.until(index * 0.02)
    assert lines.count / 1_000 < 400
    row.end(20.0)
    assert row.length <= 20.1 * 48_000
    assert len(row.track.gaps.gaps) <= 1_000
