"""A track's row of packets: seamless, in time, whatever comes and does not come."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blink_cli.core import red
from blink_cli.core.opus_packet import packet_samples
from blink_cli.core.rtp import EncodedFrame, RtpPacket
from blink_cli.record.gaps import GapReason
from blink_cli.record.track import Track

OPUS, RED = 96, 63
FRAME = 960


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
    """A track and what it gave."""

    def __init__(self, *, linked: bool = True) -> None:
        self.packets: list[tuple[bytes, int, int]] = []
        self.length = 0
        self.track = Track(0.0, self._take, payload_types=(OPUS, RED) if linked else None)

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
        """Where the real packets stand."""
        return {
            int.from_bytes(payload[1:], "big"): place
            for payload, place, _ in self.packets
            if payload[0] == 0x48 and len(payload) == 5
        }

    def reasons(self) -> list[tuple[int, int, GapReason]]:
        return [(gap.start, gap.end, gap.reason) for gap in self.track.gaps.gaps]


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
    assert all(payload[0] == 0x48 for payload, place, _ in row.packets if place < 199 * FRAME)


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
    lost_at = row.places()[39] + FRAME
    fillers = [payload for payload, place, _ in row.packets if lost_at <= place < lost_at + 2 * FRAME]
    assert fillers == [b"\xf8", b"\xf8"]


def test_a_pause_of_the_sender_is_not_a_loss() -> None:
    packets = [
        packet(n, (n + 1) * 0.02, sequence=n if n < 50 else n - 20) for n in range(100) if not 50 <= n < 70
    ]
    row = Row()
    run(row, packets, 2.01)
    assert [reason for _, _, reason in row.reasons()] == [GapReason.DTX]
    assert row.places()[70] - row.places()[49] == 21 * FRAME
    silent = [payload for payload, place, _ in row.packets if place == row.places()[49] + 10 * FRAME]
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
    assert [(s.start, s.end) for s in row.track.stints()] == [(0, 96_000), (191_520, row.track.cursor)]


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


def test_own_frames_are_never_lost_and_their_pauses_are_pauses() -> None:
    row = Row(linked=False)
    step_s = 0.2
    for number in range(200):
        at_s = (number + 1) * 0.02 + 0.001
        while at_s > step_s:
            row.until(step_s)
            step_s += 0.2
        if not 50 <= number < 60:
            row.track.captured(EncodedFrame(frame(number), number * FRAME, FRAME, -20), at_s)
    row.end(4.0)
    assert len(row.places()) == 190
    assert [(end - start, reason) for start, end, reason in row.reasons()] == [(10 * FRAME, GapReason.DTX)]


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
