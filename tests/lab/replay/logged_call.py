"""A call in virtual time whose playout is logged: real Opus, real buffers, mixer and writer; packets that are lost, late, repeated and overtake."""

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.audio.opus.library import library_version
from blink_cli.audio.playout.playout_buffer import PlayoutBuffer
from blink_cli.audio.playout.settings import PlayoutSettings
from blink_cli.audio.playout.statistics import PlayoutStatistics
from blink_cli.audio.sink_mixer import SinkMixer
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media import red
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.mix_tick import MixTick, PlayedTrack
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.lab.voices import voice
from blink_cli.record.rtp_log.playout_writer import PlayoutLogWriter
from blink_cli.record.rtp_log.replay_lines import VERSION, Head
from tests.audio.manual_clock import ManualClock
from tests.audio.parts import Ear, StallingOutput

ALICE, BOB = Did("did:key:z6MkaliceAlice"), Did("did:key:z6MkbobBobBob")
CALL = CallId("c0ffee00c0ffee00")
OPUS, RED = 111, 63
STEP_S = 0.005
FRAME = 960


class LoggedTicks:
    """A `TickListener` that writes, and can be told not to listen."""

    def __init__(self) -> None:
        self.wants_ticks = True
        self.writer: PlayoutLogWriter | None = None
        self.ticks = 0

    def played(self, what: MixTick) -> None:
        self.ticks += 1
        if self.writer is not None:
            self.writer.put(what)


@dataclass
class Peer:
    """One who speaks, over a bad line."""

    track: SinkTrack
    stream: PlayoutBuffer
    packets: list[RtpPacket]

    def deliver(self, until_s: float) -> None:
        while self.packets and self.packets[0].arrival_s <= until_s:
            self.track.receive(self.packets.pop(0))

    @property
    def figures(self) -> PlayoutStatistics:
        return self.stream.statistics()


@dataclass
class LoggedCall:
    """What a test drives."""

    clock: ManualClock
    device: StallingOutput
    ear: Ear
    mixer: SinkMixer
    listener: LoggedTicks
    log: Path
    peers: dict[Did, Peer] = dataclasses.field(default_factory=dict)

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.clock.advance(STEP_S)
            for peer in self.peers.values():
                peer.deliver(self.clock.now_s())

    def add(self, did: Did, number: int, packets: list[RtpPacket], gain_db: float = 0.0) -> Peer:
        stream = PlayoutBuffer(OpusDecoder(), (OPUS, RED))
        track = SinkTrack(stream, gain_db=gain_db, played=PlayedTrack(number, did, OPUS, RED))
        peer = self.peers[did] = Peer(track, stream, packets)
        self.mixer.add(track)
        return peer


def bad_line(speaker: int, seconds: float, from_s: float, seed: int) -> list[RtpPacket]:
    """The packets of a voice, with one copy each, as they arrive: 8 % lost, some late, some twice; half a second in which none comes; a pause."""
    random = np.random.default_rng(seed)
    encoder = OpusEncoder(CodecSettings(fec="on"))
    encoder.set_fec(20, enabled=True)
    sound = voice(speaker, seconds)
    frames = [encoder.encode(sound[at : at + FRAME]) for at in range(0, len(sound) - FRAME + 1, FRAME)]
    packets: list[RtpPacket] = []
    first = int(random.integers(2**32))
    for number, frame in enumerate(frames):
        stamp = (first + number * FRAME) % 2**32
        copies = [((first + (number - 1) * FRAME) % 2**32, frames[number - 1])] if number else []
        sent_s = from_s + number * 0.02
        if random.random() < 0.08 or 2.0 < sent_s - from_s < 2.2:
            continue
        late_s = float(random.exponential(0.012)) + (random.random() < 0.02) * 0.2
        if 3.0 < sent_s - from_s < 3.5:
            late_s += 3.5 - (sent_s - from_s)
        packet = RtpPacket(
            ssrc=speaker + 1,
            sequence_number=(65_500 + number) % 2**16,
            timestamp=stamp,
            payload_type=RED,
            marker=number == 0,
            payload=red.pack(frame, stamp, copies, OPUS),
            arrival_s=sent_s + 0.03 + late_s,
            audio_level_dbov=-30,
            voice=True,
        )
        packets.append(packet)
        if random.random() < 0.02:
            packets.append(packet)
    return sorted(packets, key=lambda packet: packet.arrival_s)


@contextmanager
def logged_call(folder: Path, *, listens: bool = True) -> Iterator[LoggedCall]:
    """Run one; its files are closed behind the block."""
    clock, ear, listener = ManualClock(), Ear(), LoggedTicks()
    device = StallingOutput("wav:heard.wav", ear)
    mixer = SinkMixer(device, clock=clock, listener=listener)
    call = LoggedCall(clock, device, ear, mixer, listener, folder / "call.csv")
    listener.wants_ticks = listens
    if listens:
        call.listener.writer = begin_log(call.log)
    mixer.start()
    try:
        yield call
    finally:
        clock.release()
        mixer.stop()
        if listener.writer is not None:
            listener.writer.finish()
            listener.writer.join()


def begin_log(log: Path, on_failure: Callable[[str], None] = lambda reason: None) -> PlayoutLogWriter:
    opened: Future[None] = Future()
    opened.set_result(None)
    head = Head(VERSION, CALL, library_version(), msgspec.structs.asdict(PlayoutSettings()), 1_700_000_000.25)
    return PlayoutLogWriter(log, decisions=True, replay=head, opened=opened, on_failure=on_failure)
