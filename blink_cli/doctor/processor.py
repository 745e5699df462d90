"""Whether this machine is fast enough for a call: what voices cost, how late threads wake, and how urgent they may be."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.audio.processing.chain import CaptureChain
from blink_cli.audio.processing.far_reference import FarReference
from blink_cli.audio.processing.figures import UnavailableFilter
from blink_cli.audio.thread_priority import Urgency, make_urgent
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_MS, TICK_SAMPLES
from blink_cli.core.errors import BlinkError
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress, ProcessingSettings
from blink_cli.doctor.finding import Finding, failed, fine, unknown, warning
from blink_cli.doctor.situation import Situation

SPEED: Final = "processor"
LATENESS: Final = "wake-up"
PRIORITY: Final = "priority"
PROCESSING: Final = "sound-processing"

CODED_SAMPLES: Final = SAMPLE_RATE_HZ
PROCESSED_BLOCKS: Final = 60
"""So much is coded and processed: a second, and half of one."""

WAITS: Final = 60
WAIT_S: Final = 0.01
LATE_S: Final = 0.01
"""A tick that comes so late is heard."""


def look(situation: Situation) -> Iterator[Finding]:
    """Code a second of sound, and wait sixty times for 10 ms as the voice threads do."""
    chain_ms, unavailable = processing_ms()
    yield _speed(situation, chain_ms)
    yield _processing(unavailable)
    urgency = make_urgent()  # of this very thread, which is as the voice threads are
    yield _lateness()
    yield _priority(urgency)


def _speed(situation: Situation, chain_ms: float) -> Finding:
    try:
        encode_ms, decode_ms = coding_ms(_codec(situation))
    except BlinkError as error:
        return unknown(SPEED, error.message.removesuffix("."), error.hint)
    share = (encode_ms + decode_ms + chain_ms) / TICK_MS
    text = (
        f"10 ms of a voice take {encode_ms:.2f} ms to encode and {decode_ms:.2f} ms to decode, {chain_ms:.2f} ms if echo, noise and level"
        f" are seen to: {share:.0%} of one processor{_load_text()}"
    )
    remedy = "Close programs that compute, or run blink on a faster machine; longer packets (`--frame-ms 40`) cost less."
    if share >= 1.0:
        return failed(SPEED, f"{text}: too slow for a call", remedy)
    if share >= 0.5:
        return warning(SPEED, text, remedy)
    return fine(SPEED, text)


def _processing(unavailable: Sequence[UnavailableFilter]) -> Finding:
    if not unavailable:
        return fine(PROCESSING, "echo, noise and level can be taken care of")
    return warning(
        PROCESSING,
        f"{', '.join(one.name.value for one in unavailable)}: {unavailable[0].reason.removesuffix('.')}",
        "Install it: `pip install pywebrtc-audio`. It has wheels for Linux, macOS and Windows on the usual processors; elsewhere use a headset.",
    )


def coding_ms(settings: CodecSettings) -> tuple[float, float]:
    """Return what encoding and decoding 10 ms take, in ms of wall time.

    Raises:
        DeviceError: There is no libopus.

    """
    encoder, decoder = OpusEncoder(settings), OpusDecoder()
    frames = CODED_SAMPLES // settings.frame_samples
    noise = np.random.default_rng(1).normal(0.0, 0.05, (frames, settings.frame_samples)).astype(np.float32)
    begun_s = time.perf_counter()
    packets = [encoder.encode(frame) for frame in noise]
    encoded_s = time.perf_counter()
    for packet in packets:
        decoder.decode(packet)
    decoded_s = time.perf_counter()
    ticks = frames * settings.frame_samples / TICK_SAMPLES
    return 1000 * (encoded_s - begun_s) / ticks, 1000 * (decoded_s - encoded_s) / ticks


def processing_ms() -> tuple[float, tuple[UnavailableFilter, ...]]:
    """Return what 10 ms take in the capture chain with all its filters, in ms of wall time, and which of these do not run here."""
    chain = CaptureChain(
        FarReference(), ProcessingSettings(EchoCancel.ON, NoiseSuppress.HIGH, auto_gain=True)
    )
    blocks = np.random.default_rng(2).normal(0.0, 0.05, (PROCESSED_BLOCKS, TICK_SAMPLES)).astype(np.float32)
    chain.process(blocks[0], 0.0)  # the filters are made
    begun_s = time.perf_counter()
    for number, block in enumerate(blocks):
        chain.process(block, number * TICK_MS / 1000)
    return 1000 * (time.perf_counter() - begun_s) / PROCESSED_BLOCKS, chain.figures().unavailable


def _codec(situation: Situation) -> CodecSettings:
    if isinstance(situation.settings, BlinkError):
        return CodecSettings()
    return situation.settings.codec.with_options(situation.options.codec)


def _load_text() -> str:
    processors = os.cpu_count() or 1
    if sys.platform == "win32":
        return f"; {processors} processors"
    return f"; {processors} processors, load {os.getloadavg()[0]:.1f}"


def _lateness() -> Finding:
    late_s = []
    for _ in range(WAITS):
        due_s = time.monotonic() + WAIT_S
        time.sleep(WAIT_S)
        late_s.append(time.monotonic() - due_s)
    late_s.sort()
    worst_ms, usual_ms = 1000 * late_s[-1], 1000 * late_s[len(late_s) // 2]
    often = sum(1 for one in late_s if one > LATE_S)
    text = f"threads wake {usual_ms:.1f} ms late as a rule and {worst_ms:.1f} ms at most"
    if often > WAITS // 20:
        return warning(
            LATENESS,
            f"{text}: {often} of {WAITS} ticks would be heard",
            "Something keeps the processors: look at `top`, at the power plan, and on a virtual machine at its host.",
        )
    return fine(LATENESS, text)


def _priority(urgency: Urgency) -> Finding:
    match urgency:
        case Urgency.REAL_TIME:
            return fine(PRIORITY, "voice threads run with real-time priority")
        case Urgency.NICE:
            return fine(PRIORITY, "voice threads run before ordinary ones (nice), not in real time")
        case Urgency.ORDINARY if sys.platform != "linux":
            return fine(PRIORITY, "voice threads run as the system likes")
        case Urgency.ORDINARY:
            return warning(
                PRIORITY,
                "voice threads may not be more urgent than others, so a busy machine makes them late",
                "Allow it: a line `@audio - rtprio 10` in /etc/security/limits.d/audio.conf, your user in the group audio, and log in again.",
            )
