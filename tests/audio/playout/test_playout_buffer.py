"""The playout buffer as tables of packets and what follows, in virtual time."""

import dataclasses
import random

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.audio.playout.block import SILENCE_BLOCK, Block
from blink_cli.audio.playout.playout_buffer import PlayoutBuffer
from blink_cli.audio.playout.settings import PlayoutSettings
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.core.media.rtp import RtpPacket
from tests.audio.playout.stream import OPUS, RED, CountingDecoder, Sender, play

pytestmark = pytest.mark.no_clock


def speech_like(seconds: float) -> Block:
    time = np.arange(int(48_000 * seconds)) / 48_000
    buzz = np.sum([np.sin(2 * np.pi * 130 * k * time) / k for k in range(1, 20)], axis=0)
    return np.asarray(0.1 * buzz, np.float32)


def delay_ms(buffer: PlayoutBuffer) -> float:
    return buffer.statistics().delay_ms


# ---- what is played


def test_a_clean_stream_is_played_whole_with_little_delay() -> None:
    sender = Sender()
    buffer, calls, _ = play([sender.packet(n) for n in range(500)], 9.9)
    statistics = buffer.statistics()
    assert statistics.concealed_samples == 0
    assert calls.count("decode") >= 490
    assert statistics.delay_ms < 25
    assert statistics.target_delay_ms < 5


def test_across_both_wraps_nothing_is_lost() -> None:
    # The default sender starts 6 packets before the sequence wrap and 5 before that of the timestamp.
    outcomes: list[tuple[int, int, PlayoutOutcome]] = []
    buffer, _, _ = play(
        [Sender().packet(n) for n in range(50)],
        0.99,
        observer=lambda ssrc, at, outcome: outcomes.append((ssrc, at, outcome)),
    )
    assert [outcome for _, _, outcome in outcomes] == [PlayoutOutcome.PLAYED] * len(outcomes)
    assert len(outcomes) >= 45
    assert buffer.statistics().packets_lost == 0


def test_a_lost_packet_is_recovered_from_the_copy_in_the_next() -> None:
    sender = Sender(levels=1)
    outcomes: list[PlayoutOutcome] = []
    buffer, _calls, _ = play(
        [sender.packet(n) for n in range(100) if n % 10 != 5],
        1.9,
        observer=lambda _ssrc, _at, outcome: outcomes.append(outcome),
    )
    statistics = buffer.statistics()
    assert statistics.packets_recovered_by_redundancy >= 9
    assert outcomes.count(PlayoutOutcome.RECOVERED) == statistics.packets_recovered
    assert statistics.concealed_samples <= 960
    assert statistics.packets_lost == 9


def test_a_lost_packet_that_comes_again_is_recovered_and_lost_all_the_same() -> None:
    sender = Sender()
    # Every tenth one is asked for and comes 8 ms late.
    packets = [
        msgspec.structs.replace(sender.packet(n, 0.008 if n % 10 == 5 else 0.0), retransmitted=n % 10 == 5)
        for n in range(100)
    ]
    buffer, _calls, _ = play(packets, 1.9)
    statistics = buffer.statistics()
    assert statistics.packets_recovered == statistics.packets_recovered_by_retransmission >= 9
    assert statistics.packets_lost == 9
    assert statistics.packets_received <= 90
    assert statistics.concealed_samples <= 960


def test_a_lost_packet_is_recovered_from_fec() -> None:
    sender = Sender(with_fec=True)
    buffer, calls, _ = play([sender.packet(n) for n in range(200) if n % 10 != 5], 3.9)
    assert buffer.statistics().packets_recovered_by_fec >= 17
    assert calls.count("fec") >= 17


def test_loss_without_repair_is_concealed_and_not_waited_for() -> None:
    buffer, _calls, _ = play([Sender().packet(n) for n in range(500) if n % 10 != 5], 9.9)
    statistics = buffer.statistics()
    assert statistics.packets_recovered == 0
    assert statistics.concealed_samples == pytest.approx(50 * 960, rel=0.1)
    assert 45 <= statistics.concealment_events <= 50
    assert statistics.delay_ms < 45
    report = buffer.loss_report()
    assert report.fraction_lost == pytest.approx(0.1, abs=0.02)
    assert (report.mean_burst_packets, report.longest_burst_packets) == (1.0, 1)


def test_bursts_are_told_as_bursts() -> None:
    buffer, _, _ = play([Sender().packet(n) for n in range(300) if n % 50 not in (5, 6, 7)], 5.9)
    report = buffer.loss_report()
    assert (report.mean_burst_packets, report.longest_burst_packets) == (3.0, 3)


def test_reordering_within_the_delay_costs_nothing() -> None:
    sender = Sender()
    packets = [sender.packet(n, 0.03 if n % 2 else 0.0) for n in range(500)]
    buffer, _, _ = play(packets, 9.9)
    statistics = buffer.statistics()
    assert statistics.concealed_samples <= 3 * 960
    assert buffer.loss_report().fraction_lost == 0
    assert 28 < statistics.target_delay_ms < 60


def test_late_and_duplicate_packets_are_told() -> None:
    sender = Sender()
    outcomes: dict[int, list[PlayoutOutcome]] = {}
    packets = [sender.packet(n) for n in range(100) if n != 50]
    packets += [sender.packet(50, 0.5), sender.packet(60, 0.001)]
    buffer, _, _ = play(
        packets, 1.9, observer=lambda _ssrc, at, outcome: outcomes.setdefault(at, []).append(outcome)
    )
    assert outcomes[sender.packet(50).timestamp] == [PlayoutOutcome.LATE]
    assert sorted(outcomes[sender.packet(60).timestamp]) == [PlayoutOutcome.DUPLICATE, PlayoutOutcome.PLAYED]
    statistics = buffer.statistics()
    assert (statistics.packets_discarded, statistics.packets_duplicated) == (1, 1)
    assert statistics.packets_lost == 0, "late is not lost"


# ---- the schedule


def test_the_delay_follows_jitter_up_and_calm_down() -> None:
    sender = Sender()
    seed = 11
    rng = random.Random(seed)
    packets = [sender.packet(n, abs(rng.gauss(0, 0.03)) if n < 500 else 0.0) for n in range(1500)]
    decoder = OpusDecoder()
    encoder = OpusEncoder(CodecSettings())
    sound = speech_like(1.0)
    encoded = [encoder.encode(sound[at : at + 960]) for at in range(0, 48_000 - 959, 960)]
    packets = [
        sender.packet(n, packet.arrival_s - n * 0.02, payload=encoded[n % len(encoded)])
        for n, packet in enumerate(packets)
    ]
    buffer, _, _ = play([p for p in packets if p.arrival_s < 10], 10, decoder=decoder)
    assert 50 < delay_ms(buffer) < 130, f"seed {seed}"
    before = buffer.statistics().concealed_samples
    assert before < 0.03 * 480_000, f"seed {seed}"
    play([p for p in packets if p.arrival_s >= 10], 29.9, buffer=buffer, from_s=10)
    assert delay_ms(buffer) < 30
    assert buffer.statistics().removed_samples_for_acceleration > 0


def test_a_freeze_is_played_faster_and_over_within_two_seconds() -> None:
    encoder = OpusEncoder(CodecSettings())
    sound = speech_like(12.0)
    sender = Sender()
    packets = []
    for n in range(550):
        sent_s = n * 0.02
        late_s = max(0.0, 5.6 - sent_s) if sent_s >= 5.0 else 0.0
        packets.append(sender.packet(n, late_s, payload=encoder.encode(sound[n * 960 : n * 960 + 960])))
    buffer, _, _ = play(packets, 5.0, decoder=OpusDecoder())
    earlier_ms = delay_ms(buffer)
    play(packets[250:], 5.7, buffer=buffer, from_s=5.0)
    assert delay_ms(buffer) > earlier_ms + 300, "what was held up is still to be heard"
    play([p for p in packets if p.arrival_s > 5.7], 7.6, buffer=buffer, from_s=5.7)
    assert delay_ms(buffer) < earlier_ms + 20
    statistics = buffer.statistics()
    assert statistics.packets_discarded <= 5
    assert statistics.concealed_samples < 0.75 * 48_000


@pytest.mark.parametrize("ppm", [-200, 200])
def test_drift_is_followed_without_concealing(ppm: int) -> None:
    encoder = OpusEncoder(CodecSettings())
    sound = speech_like(1.0)
    encoded = [encoder.encode(sound[at : at + 960]) for at in range(0, 48_000 - 959, 960)]
    sender = Sender(frame_s=0.02 * (1 + ppm / 1e6))
    packets = [sender.packet(n, payload=encoded[n % len(encoded)]) for n in range(6_000)]
    buffer, _, _ = play(packets, 119.0, decoder=OpusDecoder())
    statistics = buffer.statistics()
    assert statistics.delay_ms < 35
    assert statistics.concealed_samples <= 6 * 480
    moved = statistics.inserted_samples_for_deceleration + statistics.removed_samples_for_acceleration
    assert moved < 0.01 * statistics.total_samples_received


def test_a_stretch_leaves_no_seam() -> None:
    """No sample-to-sample step is larger than in the sound itself."""
    encoder = OpusEncoder(CodecSettings(bitrate_bps=64_000))
    sound = speech_like(16.0)
    sender = Sender()
    packets = [
        sender.packet(n, 0.06 if n < 100 else 0.0, payload=encoder.encode(sound[n * 960 : n * 960 + 960]))
        for n in range(800)
    ]
    buffer, _, blocks = play(packets, 15.9, decoder=OpusDecoder())
    assert buffer.statistics().removed_samples_for_acceleration > 0
    heard = np.concatenate(blocks)[9_600:-9_600]
    assert np.abs(np.diff(heard)).max() < 1.3 * np.abs(np.diff(sound)).max()


# ---- pauses


def test_a_talk_spurt_after_a_pause_is_not_delayed_and_the_pause_not_concealed() -> None:
    sender = Sender()
    pause = bytes([9 << 3])
    packets = [sender.packet(n) for n in range(100)]
    packets += [sender.packet(100, payload=pause)]
    # 400 ms without packets: the sequence goes on where it was, the timestamp does not.
    resumed = Sender(first_sequence=sender.first_sequence - 20)
    packets += [resumed.packet(n) for n in range(121, 200)]
    buffer, _calls, blocks = play(packets, 3.9)
    statistics = buffer.statistics()
    assert statistics.concealed_samples == 0
    assert statistics.packets_lost == 0
    voiced = [tick for tick, block in enumerate(blocks) if block.max() > 0.05]
    spurt = next(tick for tick in voiced if tick > 215)
    assert spurt * 10 - 121 * 20 < 40


@pytest.mark.parametrize("lost", [None, 50, 51])
def test_a_muted_sender_is_not_concealed(lost: int | None) -> None:
    # Three frames of digital silence, then one in 400 ms; sequence numbers count what was sent.
    sent = [*range(53), 70, 90, 110, 130, *range(140, 200)]
    packets = [
        msgspec.structs.replace(
            Sender().packet(number, level_dbov=-127 if 50 <= number < 140 else -20),
            sequence_number=(65_530 + place) % 2**16,
        )
        for place, number in enumerate(sent)
        if number != lost
    ]
    buffer, _, blocks = play(packets, 3.8)
    statistics = buffer.statistics()
    # Only of the first silent frame is it not known that silence follows.
    assert statistics.concealed_samples == (960 if lost == 50 else 0)
    assert statistics.packets_lost == (lost is not None)
    voiced = sum(bool(block.any()) for block in blocks[-60:])
    assert voiced >= 58, "it is heard at once when it speaks again"


@pytest.mark.parametrize("lost", [range(50, 85), range(50, 55)])
def test_speech_that_is_lost_behind_a_pause_is_concealed_but_for_the_delay_that_it_saves(lost: range) -> None:
    packets = [p for n, p in enumerate(said_but_for_a_pause(range(48, 50))) if n not in lost]
    buffer, _, _ = play([p for p in packets if p.arrival_s < 0.98], 0.95)
    opening_ms = delay_ms(buffer)
    buffer, _, _ = play(packets, 6.9)
    statistics = buffer.statistics()
    # All that the opening delay was too much, 50 ms, is gone behind it: nothing else was made shorter.
    saved_samples = (opening_ms - delay_ms(buffer)) * 48
    assert saved_samples == pytest.approx(2_400, abs=1)
    assert statistics.removed_samples_for_acceleration == 0
    assert statistics.concealed_samples == pytest.approx(len(lost) * 960 - saved_samples, abs=1)
    assert statistics.silent_concealed_samples == statistics.concealed_samples
    assert statistics.concealment_events == 1


@pytest.mark.parametrize(
    ("lost", "quiet", "concealed_frames"),
    [
        (range(50, 250), range(48, 50), 100),  # what is slept through is not heard, and not counted
        (range(55, 58), range(48, 60), 0),  # silence, as was before and comes behind
    ],
)
def test_what_is_lost_of_a_sleep_or_of_silence_is_not_concealed(
    lost: range, quiet: range, concealed_frames: int
) -> None:
    buffer, _, _ = play([p for n, p in enumerate(said_but_for_a_pause(quiet)) if n not in lost], 6.9)
    statistics = buffer.statistics()
    assert statistics.concealed_samples == concealed_frames * 960
    assert statistics.silent_concealed_samples == statistics.concealed_samples
    assert statistics.concealment_events == (concealed_frames > 0)


def said_but_for_a_pause(quiet: range) -> list[RtpPacket]:
    return [Sender().packet(number, level_dbov=-127 if number in quiet else -20) for number in range(350)]


def test_a_long_pause_is_played_without_decoding() -> None:
    sender = Sender()
    pause = bytes([9 << 3])
    packets = [sender.packet(n) for n in range(50)]
    packets += [
        Sender(first_sequence=65_530 - 19 * turn).packet(50 + 20 * turn, payload=pause) for turn in range(10)
    ]
    _, calls, blocks = play(packets, 5.0)
    assert len(calls) < 50 + 10 * 25
    assert blocks[-1] is SILENCE_BLOCK


def test_digital_silence_is_not_decoded() -> None:
    sender = Sender()
    packets = [sender.packet(n, level_dbov=-20 if n < 50 or n >= 150 else -127) for n in range(200)]
    buffer, calls, blocks = play(packets, 3.9)
    assert calls.count("decode") <= 105
    assert sum(block is SILENCE_BLOCK for block in blocks[115:290]) > 170
    assert blocks[330].max() > 0.05
    assert buffer.statistics().concealed_samples == 0


@pytest.mark.parametrize(("levels", "seed"), [(0, 8), (1, 27), (2, 4)])
def test_silence_on_a_bad_line_is_never_played_from_where_it_was_long_ago(levels: int, seed: int) -> None:
    # A frame that comes in the middle of its time, when a pause is played already and the target has just grown, is left behind.
    draw = random.Random(seed)
    sender = Sender(levels=levels)
    packets, lost = [], False
    for number in range(400):
        lost = draw.random() < (0.5 if lost else 0.02)
        if not lost:
            late_s = 0.03 + draw.gauss(0, 0.01)
            packets.append(sender.packet(number, late_s, level_dbov=-20 if number < 20 else -127))
    outcomes: list[PlayoutOutcome] = []
    buffer, _, _ = play(packets, 7.9, observer=lambda _ssrc, _at, outcome: outcomes.append(outcome))
    statistics = buffer.statistics()
    assert statistics.skipped_samples == 0
    assert statistics.total_samples_received == pytest.approx(48_000 * 7.9, abs=48_000 * 0.1)
    assert outcomes.count(PlayoutOutcome.LATE) == statistics.packets_discarded


def test_a_stream_that_ends_falls_asleep_and_costs_nothing() -> None:
    _, calls, blocks = play([Sender().packet(n) for n in range(50)], 10.0)
    asleep = len(calls)
    assert all(block is SILENCE_BLOCK for block in blocks[-700:])
    assert asleep < 50 + 150


@pytest.mark.parametrize("silent_s", [0.4, 5.0])
@pytest.mark.parametrize("unheard", [3, 8])
def test_after_a_rest_copies_that_nobody_heard_are_played_and_nothing_was_lost(
    silent_s: float, unheard: int
) -> None:
    sender = Sender(levels=8)
    buffer, _, _ = play([sender.packet(n) for n in range(50)], 1.0)
    buffer.rest()
    begins = 50 + round(silent_s / 0.02)
    first_s = 0.02 * (begins + unheard)
    buffer, _, _ = play([], first_s, buffer=buffer, from_s=1.0)
    before = buffer.statistics()
    assert before.concealed_samples == 0
    # The word began so many frames before the first packet that comes; numbers go on where they were left.
    word = [
        msgspec.structs.replace(
            dataclasses.replace(sender, levels=min(n - begins, 8)).packet(n),
            sequence_number=(sender.first_sequence + 50 + n - begins - unheard) % 65_536,
        )
        for n in range(begins + unheard, begins + 60)
    ]
    buffer, _, _ = play(word, 0.02 * (begins + 60), buffer=buffer, from_s=first_s)
    after = buffer.statistics()
    assert after.packets_recovered_by_redundancy == unheard
    assert after.concealed_samples == 0
    assert after.packets_lost == 0
    assert after.target_delay_ms <= before.target_delay_ms, (
        "that copies came late says nothing of the network"
    )


@pytest.mark.parametrize("in_a_word", [False, True])
def test_a_stream_begins_with_its_first_packet_unless_it_begins_in_a_word(*, in_a_word: bool) -> None:
    decoder = CountingDecoder()
    buffer = PlayoutBuffer(decoder, (OPUS, RED))
    if in_a_word:
        buffer.rest()
    sender = Sender(levels=8)
    play([sender.packet(n) for n in range(8, 60)], 1.15, buffer=buffer, from_s=0.16)
    recovered = buffer.statistics().packets_recovered_by_redundancy
    assert recovered == (8 if in_a_word else 0)
    assert buffer.statistics().concealed_samples == 0


def test_nothing_is_played_before_anything_came() -> None:
    buffer = PlayoutBuffer(OpusDecoder(), (OPUS, RED))
    assert buffer.get(0.0) is SILENCE_BLOCK
    assert buffer.statistics().total_samples_received == 0


# ---- strangers and restarts


def test_another_ssrc_begins_anew_at_once() -> None:
    first = Sender(ssrc=1)
    second = Sender(ssrc=2, first_sequence=7, first_timestamp=99)
    packets = [first.packet(n) for n in range(100)] + [second.packet(n, start_s=2.0) for n in range(100)]
    buffer, calls, _blocks = play(packets, 3.9)
    statistics = buffer.statistics()
    assert statistics.concealed_samples <= 3 * 960
    assert calls.count("decode") > 190
    assert statistics.packets_lost == 0


def test_a_jump_of_the_timestamp_is_believed_when_two_packets_agree() -> None:
    first = Sender()
    second = Sender(first_sequence=30_000, first_timestamp=1_000_000_000)
    packets = [first.packet(n) for n in range(100)] + [second.packet(n, start_s=2.0) for n in range(100)]
    buffer, calls, _ = play(packets, 3.9)
    assert calls.count("decode") > 185
    assert buffer.statistics().packets_discarded == 1


def test_one_stray_packet_does_not_break_the_stream() -> None:
    sender = Sender()
    stray = Sender(first_timestamp=1_000_000_000).packet(50, 0.005)
    buffer, _calls, _ = play([*(sender.packet(n) for n in range(100)), stray], 1.9)
    assert buffer.statistics().packets_discarded == 1
    assert buffer.statistics().concealed_samples == 0


def test_a_flood_is_bounded() -> None:
    sender = Sender()
    buffer = PlayoutBuffer(OpusDecoder(), (OPUS, RED), PlayoutSettings(capacity_ms=500))
    for n in range(5_000):
        # Each claims to be a little further ahead, all at once.
        packet = sender.packet(n)
        buffer.put(
            RtpPacket(
                **{f: getattr(packet, f) for f in packet.__struct_fields__ if f != "arrival_s"}, arrival_s=0.0
            )
        )
    statistics = buffer.statistics()
    assert statistics.packets_discarded >= 4_000


def test_what_waits_too_long_is_dropped() -> None:
    sender = Sender()
    outcomes: list[PlayoutOutcome] = []
    packets = [sender.packet(n) for n in range(100)]
    packets += [sender.packet(n, 4.4 - n * 0.02) for n in range(100, 220)]
    packets += [sender.packet(n) for n in range(220, 400)]
    buffer, _, _ = play(
        packets,
        7.9,
        settings=PlayoutSettings(capacity_ms=500),
        observer=lambda _ssrc, _at, outcome: outcomes.append(outcome),
    )
    assert outcomes.count(PlayoutOutcome.DISCARDED) > 60
    assert delay_ms(buffer) < 90, "what is left waits for a pause"


@pytest.mark.parametrize("missing_share", [0.05, 0.13, 0.3])
def test_what_a_machine_that_is_too_slow_cannot_play_counts_as_not_heard(missing_share: float) -> None:
    rng = random.Random(round(1000 * missing_share))
    seconds = 40
    encoder, sender = OpusEncoder(CodecSettings()), Sender()
    noise = np.random.default_rng(1).normal(0, 0.05, seconds * 48_000).astype(np.float32)
    buffer = PlayoutBuffer(OpusDecoder(), (OPUS, RED))
    played = 0
    worst_ms = 0.0
    for tick in range(seconds * 100):
        now_s = tick / 100
        if tick % 2 == 0:
            at = tick // 2
            buffer.put(sender.packet(at, payload=encoder.encode(noise[at * 960 : at * 960 + 960])))
        if rng.random() > missing_share:
            buffer.get(now_s + 0.0005)
            played += 480
        if tick > 1000:
            worst_ms = max(worst_ms, delay_ms(buffer))

    statistics = buffer.statistics()
    sent = seconds * 48_000
    heard = statistics.total_samples_received - statistics.concealed_samples
    # Sound that was played faster is heard. What was neither played nor still waits is not.
    waiting = delay_ms(buffer) * 48
    unheard = sent - played - statistics.removed_samples_for_acceleration - waiting
    assert statistics.skipped_samples <= statistics.concealed_samples
    assert abs(statistics.concealed_samples - max(unheard, 0)) < 0.02 * sent
    assert heard <= played
    # Skipped at the latest after some seconds of being late: never for good.
    assert worst_ms < 1_100


def test_a_backlog_that_stays_is_skipped_once_and_counted() -> None:
    sender = Sender()
    packets = [sender.packet(n) for n in range(1_000)]
    buffer, _, _ = play([p for p in packets if p.arrival_s < 10], 10.0)
    opening = buffer.statistics().removed_samples_for_acceleration
    assert 0 < opening < 2_400, "what the opening delay was too much has gone before"
    # The thread stands still for 0.6 s; splices are impossible in what it plays, so that nothing is ever made up for.
    play([p for p in packets if p.arrival_s >= 10], 20.0, buffer=buffer, from_s=10.6)
    statistics = buffer.statistics()
    assert delay_ms(buffer) < 60
    made_up_for = statistics.skipped_samples + statistics.removed_samples_for_acceleration - opening
    assert made_up_for == pytest.approx(0.6 * 48_000, abs=48)
    assert statistics.concealed_samples >= statistics.skipped_samples


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 2]),
            st.integers(0, 65_535),
            st.integers(0, 2**32 - 1),
            st.sampled_from([OPUS, RED, 0]),
            st.binary(max_size=40),
            st.floats(0, 2),
        ),
        max_size=30,
    )
)
def test_no_packet_of_a_stranger_breaks_it(claims: list[tuple[int, int, int, int, bytes, float]]) -> None:
    buffer = PlayoutBuffer(OpusDecoder(), (OPUS, RED))
    for at, (ssrc, sequence, timestamp, payload_type, payload, arrival_s) in enumerate(claims):
        buffer.put(
            RtpPacket(
                ssrc=ssrc,
                sequence_number=sequence,
                timestamp=timestamp,
                payload_type=payload_type,
                marker=False,
                payload=payload,
                arrival_s=arrival_s,
            )
        )
        block = buffer.get(arrival_s + at * 0.01)
        assert block.shape == (480,)
        assert np.isfinite(block).all()
    buffer.loss_report()
    buffer.statistics()


@pytest.mark.parametrize("frame_ms", [2.5, 5, 10, 20, 40, 60])
def test_every_frame_length_is_played(frame_ms: float) -> None:
    settings = CodecSettings(frame_ms=frame_ms)
    encoder = OpusEncoder(settings)
    sound = speech_like(3.0)
    size = settings.frame_samples
    packets = [
        RtpPacket(
            ssrc=1,
            sequence_number=n,
            timestamp=n * size,
            payload_type=OPUS,
            marker=False,
            payload=encoder.encode(sound[n * size : (n + 1) * size]),
            arrival_s=n * size / 48_000,
        )
        for n in range(len(sound) // size)
        if n % 20 != 10
    ]
    buffer, _, blocks = play(packets, 2.9, decoder=OpusDecoder())
    statistics = buffer.statistics()
    lost = len(sound) // size // 20
    assert statistics.concealed_samples <= (lost + 1) * max(size, 960)
    heard = np.concatenate(blocks)
    assert 0.8 < np.sqrt(np.mean(heard[24_000:120_000] ** 2)) / np.sqrt(np.mean(sound**2)) < 1.2


def encoded(
    sound: Block, settings: CodecSettings, encoder: OpusEncoder, first: int, number: int
) -> list[RtpPacket]:
    """The packets of a sound that begins at timestamp `first`, each sent when its last sample is there."""
    encoder.adjust(settings)
    size = settings.frame_samples
    return [
        RtpPacket(
            ssrc=1,
            sequence_number=number + n,
            timestamp=first + n * size,
            payload_type=OPUS,
            marker=False,
            payload=encoder.encode(sound[n * size : (n + 1) * size]),
            arrival_s=(first + (n + 1) * size) / 48_000,
        )
        for n in range(len(sound) // size)
    ]


def test_a_change_of_the_frame_length_is_heard_by_nobody() -> None:
    encoder, sound = OpusEncoder(CodecSettings()), speech_like(6.0)
    packets: list[RtpPacket] = []
    for part, frame_ms in enumerate((20, 2.5, 60, 5, 10, 20)):
        piece = sound[part * 48_000 : (part + 1) * 48_000]
        settings = CodecSettings(frame_ms=frame_ms, bitrate_bps=96_000)
        packets += encoded(
            piece[: len(piece) // 2_880 * 2_880], settings, encoder, part * 46_080, len(packets)
        )
    buffer, _, blocks = play(packets, 5.9, decoder=OpusDecoder())
    statistics = buffer.statistics()
    assert statistics.packets_discarded == statistics.packets_lost == 0
    # A packet of 60 ms is there 57.5 ms later than one of 2.5 ms that begins with it: the delay grows by that, once.
    assert 57.5 <= statistics.delay_ms <= 75
    assert statistics.concealed_samples == 0, "what is awaited behind the last packet may be a pause"
    assert statistics.skipped_samples == 0
    heard = np.concatenate(blocks)
    assert np.abs(np.diff(heard)).max() < 1.5 * np.abs(np.diff(sound)).max()


@pytest.mark.parametrize("frame_ms", [2.5, 5])
def test_short_frames_wait_for_a_tick_and_no_longer(frame_ms: float) -> None:
    settings = CodecSettings(frame_ms=frame_ms, bitrate_bps=96_000)
    sound = np.zeros(20 * 48_000, np.float32)
    sound[:48_000] = speech_like(1.0)
    packets = encoded(sound, settings, OpusEncoder(settings), 0, 0)
    buffer, _, _ = play(packets, 19.9, decoder=OpusDecoder())
    statistics = buffer.statistics()
    assert statistics.concealed_samples == 0
    assert statistics.target_delay_ms < 1
    assert statistics.delay_ms < frame_ms + 0.5


def test_lost_short_frames_are_concealed_one_by_one() -> None:
    settings = CodecSettings(frame_ms=2.5, bitrate_bps=96_000)
    packets = encoded(speech_like(6.0), settings, OpusEncoder(settings), 0, 0)
    arrived = [packet for n, packet in enumerate(packets) if n % 20 != 19]
    buffer, _, _ = play(arrived, 5.9, decoder=OpusDecoder())
    statistics = buffer.statistics()
    lost = len(packets) // 20
    assert statistics.concealed_samples == pytest.approx(lost * 120, abs=480)
    assert statistics.concealment_events == pytest.approx(lost, abs=4)
    assert buffer.loss_report().fraction_lost == pytest.approx(0.05, abs=0.01)
