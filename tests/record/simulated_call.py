"""A call in virtual time: what a recording's inputs would be, from senders whose clocks drift and networks that lose and delay.

Every sender says the same three seconds again and again: faint noise, and one click whose place is known to the sample. So where a click must
stand in a track is arithmetic, and nothing of it comes from the code under test.
"""

import functools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media import red
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.rtp import EncodedFrame, RtpPacket, SenderReport
from blink_cli.record.recording.recording import Invited, Recording, RecordingPlan

RATE_HZ = 48_000
FRAME = 960
LOOP_FRAMES = 150
CLICK_SAMPLE = 70 * FRAME + 333
"""Within the loop."""

OPUS, RED = 96, 63
START_S = 5000.0
"""Monotonic time at which recordings start."""

ALICE, BOB, CAROL = (Did(f"did:key:z6Mk{name}") for name in ("Alice", "Bob", "Carol"))
CALL = CallId("c0ffee00" * 4)


@functools.cache
def spoken() -> tuple[bytes, ...]:
    """The three seconds, encoded."""
    noise = np.random.default_rng(7).normal(0, 0.003, LOOP_FRAMES * FRAME).astype(np.float32)
    noise[CLICK_SAMPLE : CLICK_SAMPLE + 96] += 0.8 * np.sin(np.arange(96) * 0.5).astype(np.float32)
    encoder = OpusEncoder(CodecSettings(complexity=3))
    frames = noise.reshape(LOOP_FRAMES, FRAME)
    encoder.encode(np.ascontiguousarray(frames[-1]))
    return tuple(encoder.encode(np.ascontiguousarray(frame)) for frame in frames)


@dataclass(frozen=True)
class Link:
    """A time during which a sender's packets come, as one RTP stream."""

    from_s: float
    to_s: float
    ssrc: int
    timestamp: int
    sequence: int = 65_000
    """The first one; soon behind a wrap."""


@dataclass
class Sender:
    """One participant. Times are seconds from the recording's start."""

    did: Did
    ppm: float = 0.0
    links: list[Link] = field(default_factory=list)
    path_s: float = 0.002
    jitter_s: float = 0.0
    """Mean of an exponential delay on top."""

    loss: float = 0.0
    red_levels: int = 0
    dtx: tuple[float, float] | None = None
    """Says nothing in between, without a hole in its sequence numbers."""

    own: bool = False
    epoch_s: float = -1.2345
    """When its first sample was captured."""

    def captured_s(self, sample: float) -> float:
        """When a sample was captured."""
        return self.epoch_s + sample / (RATE_HZ * (1 + self.ppm * 1e-6))

    def clicks(self, until_s: float) -> Iterator[float]:
        """When it clicked, from the first click in the recording on."""
        loop = 0
        while (at_s := self.captured_s(CLICK_SAMPLE + loop * LOOP_FRAMES * FRAME)) < until_s:
            if at_s > 0.1 and any(link.from_s + 0.1 < at_s < link.to_s - 0.1 for link in self.links):
                yield at_s
            loop += 1

    def inputs(self, seed: int) -> "Iterator[tuple[float, tuple[str, object]]]":
        """What reaches the recording, as (when, (method, argument)), not sorted."""
        source = random.Random(f"{seed} {self.did}")
        for link in self.links:
            yield link.from_s, ("link_connected", None)
            yield link.to_s, ("link_ended", None)
            first = max(0, int((link.from_s - self.epoch_s) * RATE_HZ / FRAME) + 1)
            sequence = link.sequence
            earlier: list[tuple[int, bytes]] = []
            for number in range(first, 1 << 30):
                captured_s = self.captured_s((number + 1) * FRAME)
                if captured_s > link.to_s:
                    break
                payload = spoken()[number % LOOP_FRAMES]
                timestamp = (link.timestamp + number * FRAME) & 0xFFFFFFFF
                if self.dtx is not None and self.dtx[0] < captured_s < self.dtx[1]:
                    continue
                if self.own:
                    frame = EncodedFrame(payload, timestamp, FRAME, -20)
                    yield captured_s + 0.001 + source.expovariate(2000), ("captured", frame)
                    continue
                kind, body = OPUS, payload
                if self.red_levels:
                    kind, body = RED, red.pack(payload, timestamp, earlier[-self.red_levels :], OPUS)
                    earlier.append((timestamp, payload))
                sequence = (sequence + 1) & 0xFFFF
                arrival_s = captured_s + self.path_s
                if self.jitter_s:
                    arrival_s += source.expovariate(1 / self.jitter_s)
                if number % 60 == 0:
                    ticks = round((number + 1) * FRAME + 0)
                    report = SenderReport(
                        link.ssrc,
                        3.9e9 + captured_s,
                        (link.timestamp + ticks) & 0xFFFFFFFF,
                        1,
                        1,
                        START_S + arrival_s,
                    )
                    yield arrival_s, ("reported", report)
                    yield arrival_s, ("round_trip", 2 * self.path_s)
                if source.random() >= self.loss:
                    packet = RtpPacket(
                        link.ssrc,
                        sequence,
                        timestamp,
                        kind,
                        marker=False,
                        payload=body,
                        arrival_s=START_S + arrival_s,
                        audio_level_dbov=-20,
                    )
                    yield arrival_s, ("received", packet)


def invited(*senders: Sender) -> tuple[Invited, ...]:
    """The participants of a recording, none of them linked yet."""
    return tuple(Invited(one.did, one.did[-5:].strip("k"), one.own) for one in senders)


def record(plan: RecordingPlan, senders: list[Sender], *, duration_s: float, seed: int = 1) -> Recording:
    """Run a recording through a call, step by step as its thread does, up to just before its end."""
    recording = Recording.create(plan)
    inputs = sorted(
        ((at_s, sender.did, what) for sender in senders for at_s, what in sender.inputs(seed)),
        key=lambda one: one[0],
    )
    step_s = 0.2
    for at_s, did, (method, argument) in inputs:
        if at_s > duration_s:
            break
        if at_s < 0 and method in {"captured", "received", "reported", "round_trip"}:
            continue
        while at_s > step_s:
            recording.advance(START_S + step_s)
            step_s += 0.2
        now_s = START_S + max(at_s, 0.0)
        match method:
            case "link_connected":
                if not next(one for one in senders if one.did == did).own:
                    recording.link_connected(did, OPUS, RED, now_s)
            case "link_ended":
                recording.link_ended(did, now_s)
            case "captured":
                assert isinstance(argument, EncodedFrame)
                recording.captured(did, argument, now_s)
            case "received":
                assert isinstance(argument, RtpPacket)
                recording.received(did, argument)
            case "reported":
                assert isinstance(argument, SenderReport)
                recording.reported(did, argument)
            case "round_trip":
                assert isinstance(argument, float)
                recording.round_trip(did, argument, now_s)
    return recording


def clicks_in(samples: npt.NDArray[np.float32], at_s: list[float]) -> list[float]:
    """How late, in seconds, the loudest sample near each moment is; a moment without a click has none near and is not a number."""
    found = []
    for moment_s in at_s:
        first = max(0, round((moment_s - 0.15) * RATE_HZ))
        window = np.abs(samples[first : first + round(0.3 * RATE_HZ)])
        peak = int(np.argmax(window)) if len(window) else 0
        loud = len(window) > 0 and window[peak] > 0.1
        found.append((first + peak) / RATE_HZ - moment_s if loud else float("nan"))
    return found
