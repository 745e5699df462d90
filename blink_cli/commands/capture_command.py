"""`rtp-analyze` of a capture: what is asked of it, and how it is told."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from blink_cli.app.files.capture_files import analyse_capture
from blink_cli.commands.analysis_text import inbound_lines
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.labelled_lines import LABEL_WIDTH, labelled
from blink_cli.commands.names_shown import counted, duration_text
from blink_cli.commands.work_progress import with_progress
from blink_cli.core.analysis.capture_figures import CaptureStream, RtpCaptureFigures
from blink_cli.core.analysis.wireshark_table import WiresharkFigures
from blink_cli.core.api.replies.document import SCHEMA
from blink_cli.core.errors import UsageError
from blink_cli.core.identity.shown_name import printable
from blink_cli.core.text.path_text import shown
from blink_cli.record.capture.frames import is_capture

_TOLD: Final = re.compile(r"(\d{1,3})=([A-Za-z][\w.+-]{0,31})(?:/(\d{4,6}))?(?:/\d)?")
_USUAL_RATES_HZ: Final = {"opus": 48_000, "red": 48_000, "pcmu": 8_000, "pcma": 8_000, "g722": 8_000}


def is_capture_file(path: Path) -> bool:
    """Whether a file is a capture by its first bytes; a file that cannot be read is none."""
    try:
        return is_capture(path)
    except OSError:
        return False  # who reads it as a log says why


async def analyse_capture_file(
    context: CommandContext, path: Path, payload_types: Sequence[str], tracks_to: Path | None
) -> None:
    """Analyse a capture and show what was found."""
    told = told_types(payload_types)
    found = await with_progress(
        context,
        "analyse",
        lambda progress: analyse_capture(path, told, progress, tracks_to=tracks_to),
    )
    if context.output.json:
        context.output.document({"schema": SCHEMA, **msgspec.to_builtins(found)})
    else:
        for line in capture_lines(found):
            context.output.line(line, hang=LABEL_WIDTH)
    for remark in _remarks(found):
        context.output.message(remark)


def told_types(words: Sequence[str]) -> dict[int, tuple[str, int]]:
    """Codec and clock rate of payload types, as `--payload-type` has them.

    Raises:
        UsageError: A word cannot be read.

    """
    told = {}
    for word in words:
        found = _TOLD.fullmatch(word)
        number = int(found[1]) if found else 128
        codec = found[2] if found else ""
        rate_hz = int(found[3]) if found and found[3] else _USUAL_RATES_HZ.get(codec.lower(), 0)
        if number > 127 or not 1_000 <= rate_hz <= 192_000:
            raise UsageError(
                f"{printable(word)} says no payload type.",
                hint="For example `--payload-type 111=opus` or `--payload-type 97=L16/44100`.",
            )
        told[number] = codec.lower() if codec.lower() in {"opus", "red"} else codec, rate_hz
    return told


def capture_lines(found: RtpCaptureFigures) -> Iterator[str]:
    """Return the lines of a whole capture."""
    began = f" from {found.begun}" if found.begun else ""
    yield f"{shown(found.path)}: {found.format}{began}, {duration_text(found.duration_s)}, {counted(found.frames, 'frame')}"
    for stream in found.streams:
        yield ""
        yield f"{stream.source} to {stream.target}, SSRC {stream.ssrc:08x}, {duration_text(stream.inbound.duration_s)}"
        yield labelled("payload", _payload_text(stream))
        if stream.retransmits is not None:
            yield labelled("repeats", f"SSRC {stream.retransmits:08x}: its packets, sent again (RFC 4588)")
        yield from inbound_lines(stream.inbound)
        if stream.reported is not None:
            r = stream.reported
            yield labelled(
                "far end",
                f"lost {r.packets_lost}, last report {r.fraction_lost:.1%}, worst {r.max_fraction_lost:.1%}, "
                f"jitter {r.jitter_ms:.3f} ms, max {r.max_jitter_ms:.3f} ms, {r.reports} reports",
            )
        if stream.sender_clock is not None:
            yield labelled("began", f"{stream.sender_clock.began_at} by the sender's clock")
        yield labelled("tshark 4.4", _wireshark_text(stream.tshark_4_4))
        if stream.tshark_4_0 != stream.tshark_4_4:
            yield labelled("tshark 4.0", _wireshark_text(stream.tshark_4_0))
        if stream.track is not None:
            yield labelled("track", shown(stream.track))
    if found.tshark is not None:
        yield ""
        yield f"the same in tshark: {printable(found.tshark)}"


def _payload_text(stream: CaptureStream) -> str:
    texts = []
    for one in stream.payload_types:
        codec = "unknown codec" if one.codec is None else printable(one.codec)
        rate = "" if one.clock_rate_hz is None else f", {one.clock_rate_hz} Hz"
        texts.append(f"{one.payload_type} {codec}{rate}, {counted(one.packets, 'packet')}")
    return "; ".join(texts) + (" (encrypted)" if stream.encrypted else "")


def _wireshark_text(w: WiresharkFigures) -> str:
    text = f"{counted(w.packets, 'packet')}, lost {w.lost} ({w.lost_percent:.1f}%)"
    if w.min_delta_ms is not None and w.mean_delta_ms is not None and w.max_delta_ms is not None:
        text += f", delta {w.min_delta_ms:.3f} / {w.mean_delta_ms:.3f} / {w.max_delta_ms:.3f} ms"
    if w.min_jitter_ms is not None and w.mean_jitter_ms is not None and w.max_jitter_ms is not None:
        text += f", jitter {w.min_jitter_ms:.3f} / {w.mean_jitter_ms:.3f} / {w.max_jitter_ms:.3f} ms"
    return f"{text}{', problems' if w.problems else ''}"


def _remarks(found: RtpCaptureFigures) -> Iterator[str]:
    if found.damage is not None:
        yield f"the file was read as far as it can be: {found.damage}"
    if found.streams_omitted:
        yield f"{counted(found.streams_omitted, 'stream')} more are left out: there are too many"
    if found.left_out.fragments:
        yield f"{counted(found.left_out.fragments, 'fragment')} of IP packets left out: they are not put together"
    if found.left_out.cut_off:
        yield f"{counted(found.left_out.cut_off, 'frame')} left out: the capture holds too little of them"
    if found.left_out.other_link:
        yield f"{counted(found.left_out.other_link, 'frame')} left out: of a link that is not read here"
    if found.tracks:
        silent = sum(stream.track is None for stream in found.streams)
        rest = (
            f"; no track of {counted(silent, 'stream')}, which hold no Opus that is in the clear"
            if silent
            else ""
        )
        yield f"{counted(len(found.tracks), 'file')} in {shown(Path(found.tracks[0]).parent)}{rest}"
    if any(stream.encrypted for stream in found.streams):
        yield "payloads look encrypted (SRTP): the figures are of the headers, which are not; `rtp-log start --payload` of a session keeps its own"
