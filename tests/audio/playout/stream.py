"""A sender, a network and a tick for the playout tests: values in virtual time, nothing sleeps."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from blink_cli.audio.playout.block import Block
from blink_cli.audio.playout.frame_decoder import FrameDecoder
from blink_cli.audio.playout.playout_buffer import PlayoutBuffer
from blink_cli.audio.playout.settings import PlayoutSettings
from blink_cli.audio.playout.statistics import PlayoutObserver
from blink_cli.core.media import red
from blink_cli.core.media.rtp import RtpPacket

OPUS = 96
RED = 63
FRAME = 960

PAYLOAD = bytes([9 << 3]) + b"\x00" * 10
"""Looks like one SILK frame of 20 ms without FEC."""

PAYLOAD_WITH_FEC = bytes([9 << 3]) + b"\x40" + b"\x00" * 9


class CountingDecoder:
    """Decodes to the number of the frame, so that what is played can be read; remembers what was asked of it."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def decode(self, payload: bytes) -> Block:
        self.calls.append("decode")
        return np.full(FRAME, payload[-1] / 1000 + 0.1, np.float32)

    def decode_fec(self, next_payload: bytes, samples: int) -> Block:
        self.calls.append("fec")
        return np.full(samples, next_payload[-1] / 1000 + 0.099, np.float32)

    def conceal(self, samples: int) -> Block:
        self.calls.append("conceal")
        return np.zeros(samples, np.float32)

    def dred_samples(self, payload: bytes) -> int:
        del payload
        return 0

    def told_by_dred(self, payload: bytes, before_samples: int, samples: int) -> Block | None:
        del payload, before_samples, samples
        return None

    def reset(self) -> None:
        self.calls.append("reset")


@dataclasses.dataclass
class Sender:
    """Makes packet n of a stream of 20 ms frames, sent at n * 20 ms."""

    ssrc: int = 1
    first_sequence: int = 65_530
    first_timestamp: int = 2**32 - 5_000
    with_fec: bool = False
    levels: int = 0
    frame_s: float = 0.02

    def packet(
        self,
        number: int,
        late_s: float = 0.0,
        *,
        level_dbov: int | None = None,
        payload: bytes | None = None,
        start_s: float = 0.0,
    ) -> RtpPacket:
        def body(at: int) -> bytes:
            return (PAYLOAD_WITH_FEC if self.with_fec else PAYLOAD) + bytes([at % 200])

        def stamp(at: int) -> int:
            return (self.first_timestamp + at * FRAME) % 2**32

        own = payload if payload is not None else body(number)
        copies = [(stamp(at), body(at)) for at in range(max(0, number - self.levels), number)]
        return RtpPacket(
            ssrc=self.ssrc,
            sequence_number=(self.first_sequence + number) % 2**16,
            timestamp=stamp(number),
            payload_type=RED if copies else OPUS,
            marker=False,
            payload=red.pack(own, stamp(number), copies, OPUS) if copies else own,
            arrival_s=start_s + number * self.frame_s + late_s,
            audio_level_dbov=level_dbov,
        )


def play(
    packets: Iterable[RtpPacket],
    until_s: float,
    *,
    buffer: PlayoutBuffer | None = None,
    decoder: FrameDecoder | None = None,
    from_s: float = 0.0,
    observer: PlayoutObserver | None = None,
    settings: PlayoutSettings | None = None,
) -> tuple[PlayoutBuffer, list[str], list[Block]]:
    """Run ticks up to `until_s`; returns (buffer, what a counting decoder was asked, blocks)."""
    counting = CountingDecoder()
    decoder = decoder if decoder is not None else counting
    if buffer is None:
        buffer = PlayoutBuffer(decoder, (OPUS, RED), settings, observer)
    waiting = sorted(packets, key=lambda packet: packet.arrival_s)
    blocks: list[Block] = []
    at = 0
    tick = 0
    while (now_s := from_s + tick / 100) < until_s:
        while at < len(waiting) and waiting[at].arrival_s <= now_s:
            buffer.put(waiting[at])
            at += 1
        blocks.append(buffer.get(now_s + 0.0005))
        tick += 1
    return buffer, counting.calls, blocks
