"""How much is sent over lines of known capacity, in virtual time: pictures, and a voice that shares the line and gives way to nothing.

camera --frames at the target--> in the voice's gaps --.
voice, 50 packets a second ----------------------------+--> queue of the bottleneck --> loss, jitter --> feedback every 50 ms --> controller
"""

import random
from dataclasses import dataclass, field

import pytest

from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.rate_controller import PacketResult, RateController
from blink_cli.core.media.video.video_counters import VideoSendCounters
from blink_cli.core.media.video.video_format import CodecFormat, VideoFormat, VideoSources
from blink_cli.core.media.video.video_sender import VideoSender
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.core.media.voice_sent import VoiceSent

STEP_S = 0.001
VOICE_BYTES = 100
"""Of RTP; with what is around them 63 kb/s."""

OUTER_BYTES = 58
FPS = 15


@dataclass
class Line:
    """A bottleneck with a tail-drop queue."""

    capacity_bps: float
    loss: float = 0.0
    jitter_s: float = 0.0
    delay_s: float = 0.02
    queue_s: float = 0.3
    free_at: float = 0.0

    def passes(self, now_s: float, size: int, generator: random.Random) -> float | None:
        """When a packet arrives; None: it is lost."""
        waits_s = max(self.free_at - now_s, 0.0)
        if waits_s > self.queue_s or generator.random() < self.loss:
            return None
        self.free_at = max(self.free_at, now_s) + 8 * size / self.capacity_bps
        return self.free_at + self.delay_s + abs(generator.gauss(0, self.jitter_s))


@dataclass
class Run:
    """What came of it."""

    targets: list[tuple[float, float]] = field(default_factory=list)
    voice_sent: list[tuple[float, float | None]] = field(default_factory=list)
    """When, and how long it took."""

    video_bytes: list[tuple[float, int]] = field(default_factory=list)

    def video_bps(self, begin_s: float, end_s: float) -> float:
        return 8 * sum(size for at, size in self.video_bytes if begin_s <= at < end_s) / (end_s - begin_s)

    def voice_lost(self, begin_s: float = 0.0) -> float:
        voice = [took for at, took in self.voice_sent if at >= begin_s]
        return sum(took is None for took in voice) / len(voice)

    def voice_delay_s(self, begin_s: float, share: float) -> float:
        took = sorted(took for at, took in self.voice_sent if at >= begin_s and took is not None)
        return took[min(int(share * len(took)), len(took) - 1)]


def simulate(
    line: Line, seconds: float, *, seed: int = 1, capacities: dict[float, float] | None = None
) -> Run:
    generator = random.Random(seed)
    controller, run = RateController(), Run()
    controller.rtt_s = 2 * line.delay_s
    sender = VideoSender(
        VideoSources(1, 2),
        VideoFormat((CodecFormat(VideoCodec.VP8, 96, 97),), 5),
        VideoSendCounters(),
        first_sequence_number=0,
        first_rtx_number=0,
        target_bps=controller.target_bps,
    )
    pending: list[tuple[float, PacketResult]] = []
    """When the receiver knows, or would, and the result."""

    changes = sorted((capacities or {}).items())
    voice_packets = 0
    for step in range(int(seconds / STEP_S)):
        now_s = step * STEP_S
        while changes and now_s >= changes[0][0]:
            line.capacity_bps = changes.pop(0)[1]
        if step % 20 == 0:
            arrival = line.passes(now_s, VOICE_BYTES + OUTER_BYTES, generator)
            run.voice_sent.append((now_s, None if arrival is None else arrival - now_s))
            voice_packets += 1
            sender.voice_sent(VoiceSent(now_s, VOICE_BYTES, 0.02, voice_packets, voice_packets * VOICE_BYTES))
        if step % (1000 // FPS) == 0 and sender.backlog_s < 0.05:
            size = int(sender.encoder_bps(now_s) / 8 / FPS * generator.uniform(0.7, 1.3))
            sender.frame(CodedPicture(bytes(size), step * 90, is_key=False), now_s)
        for leaving in sender.leaving(now_s):
            size = leaving.packet.line_bytes
            arrival = line.passes(now_s, size, generator)
            known_at = now_s + line.delay_s + line.queue_s + 0.15 if arrival is None else arrival
            number = leaving.transport_sequence or 0
            pending.append((known_at, PacketResult(now_s, arrival, size, number)))
            if arrival is not None:
                run.video_bytes.append((arrival, size))
        if step % 50 == 0:
            told = [result for known_at, result in pending if known_at <= now_s - line.delay_s]
            pending = [(known_at, result) for known_at, result in pending if known_at > now_s - line.delay_s]
            if told:
                controller.voice_bps = sender.voice_bps
                controller.on_feedback(sorted(told, key=lambda result: result.number), now_s)
                sender.set_target(
                    controller.target_bps, controller.capacity_bps, controller.capacity_at_least_bps
                )
        if step % 100 == 0:
            run.targets.append((now_s, controller.target_bps))
    return run


@pytest.mark.parametrize("jitter_s", [0.0, 0.02])
@pytest.mark.parametrize("loss", [0.0, 0.02, 0.05, 0.1])
def test_a_line_of_300_kbps_is_used_and_the_voice_hears_little_of_it(loss: float, jitter_s: float) -> None:
    run = simulate(Line(300_000, loss=loss, jitter_s=jitter_s), 40)
    # 63 kb/s of it are the voice's.
    assert 0.5 * 237_000 < run.video_bps(15, 40) < 237_000
    assert run.voice_lost(5) < loss + 0.02, (
        "but for what the line loses anyway, no voice is lost for pictures"
    )
    # Alone it takes 24 ms, and with the jitter 37 and 63.
    assert run.voice_delay_s(1, 0.5) < 0.024 + (0.025 if jitter_s else 0.002)
    assert run.voice_delay_s(1, 0.95) < 0.024 + (0.065 if jitter_s else 0.004)


def test_a_voice_finds_a_narrow_line_free_from_the_first_picture_on() -> None:
    run = simulate(Line(300_000), 20)
    assert run.voice_delay_s(0, 0.999) < 0.024 + 0.015, (
        "less than one packet of the greatest length is in its way"
    )
    assert run.video_bps(2, 20) > 0.8 * 237_000, "and its limit is found without being passed"


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.1])
def test_a_wide_line_is_found_whatever_it_loses_by_itself(loss: float) -> None:
    run = simulate(Line(20_000_000, loss=loss, jitter_s=0.02), 20)
    assert run.video_bps(15, 20) > 1_200_000


def test_a_line_that_becomes_narrow_is_left_within_a_second() -> None:
    run = simulate(Line(2_000_000), 40, capacities={20.0: 300_000})
    after = next(at for at, target in run.targets if at > 20 and target < 300_000)
    assert after - 20 < 0.6
    assert run.voice_delay_s(25, 0.95) < 0.17
    assert run.voice_lost(22) == 0


def test_a_line_that_becomes_wide_again_is_used_again() -> None:
    run = simulate(Line(300_000), 60, capacities={20.0: 1_500_000})
    assert next(at for at, target in run.targets if target > 1_000_000) < 24
    assert run.video_bps(50, 60) > 1_000_000


def test_a_line_with_a_short_queue_loses_little_of_the_voice() -> None:
    run = simulate(Line(300_000, queue_s=0.06), 40)
    assert run.voice_lost(10) < 0.02
    assert run.video_bps(15, 40) > 0.8 * 237_000
