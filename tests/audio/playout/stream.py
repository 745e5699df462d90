"""A sender, a network and a tick for the playout tests: values in virtual time, nothing sleeps."""

import dataclasses

import numpy as np

from blink_cli.audio.playout import PlayoutBuffer
from blink_cli.core import red
from blink_cli.core.rtp import RtpPacket

OPUS = 96
RED = 63
FRAME = 960

PAYLOAD = bytes([9 << 3]) + b"\x00" * 10
"""Looks like one SILK frame of 20 ms without FEC."""

PAYLOAD_WITH_FEC = bytes([9 << 3]) + b"\x40" + b"\x00" * 9


class CountingDecoder:
    """Decodes to the number of the frame, so that what is played can be read; remembers what was asked of it."""

    def __init__(self):
        self.calls = []

    def decode(self, payload):
        self.calls.append("decode")
        return np.full(FRAME, payload[-1] / 1000 + 0.1, np.float32)

    def decode_fec(self, next_payload, samples):
        self.calls.append("fec")
        return np.full(samples, next_payload[-1] / 1000 + 0.099, np.float32)

    def conceal(self, samples):
        self.calls.append("conceal")
        return np.zeros(samples, np.float32)

    def reset(self):
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

    def packet(self, number, late_s=0.0, *, level_dbov=None, payload=None, start_s=0.0):
        def body(at):
            return (PAYLOAD_WITH_FEC if self.with_fec else PAYLOAD) + bytes([at % 200])

        def stamp(at):
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


def play(packets, until_s, *, buffer=None, decoder=None, tick_s=0.01, from_s=0.0, observer=None, settings=None):
    """Run ticks up to `until_s`; returns (buffer, decoder, blocks)."""
    decoder = decoder if decoder is not None else CountingDecoder()
    if buffer is None:
        buffer = PlayoutBuffer(decoder, (OPUS, RED), settings, observer)
    waiting = sorted(packets, key=lambda packet: packet.arrival_s)
    blocks = []
    at = 0
    tick = 0
    while (now_s := from_s + tick * tick_s) < until_s:
        while at < len(waiting) and waiting[at].arrival_s <= now_s:
            buffer.put(waiting[at])
            at += 1
        blocks.append(buffer.get(now_s + 0.0005))
        tick += 1
    return buffer, decoder, blocks
