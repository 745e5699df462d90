"""What can be done with a capture that another program made: tell what is in it, stream by stream. No session is needed; all of it blocks."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import structs

from blink_cli.core.analysis.capture_figures import LeftOutFigures, RtpCaptureFigures
from blink_cli.core.errors import UsageError
from blink_cli.core.progress import Progress
from blink_cli.record.capture.analysis import CaptureAnalysis, time_text
from blink_cli.record.capture.datagrams import LINK_NAMES, LeftOut
from blink_cli.record.capture.frames import CaptureReader
from blink_cli.record.capture.rtp_packets import StreamKey
from blink_cli.record.capture.survey import PayloadTypes, Surveyed, survey

_READ_PART: Final = 0.5
"""Of the work, where tracks are made as well."""

_MOST_PORTS: Final = 32
"""Named in the command for tshark."""


def analyse_capture(
    path: Path,
    told: Mapping[int, tuple[str, int]],
    progress: Progress = lambda _: None,
    *,
    tracks_to: Path | None = None,
) -> RtpCaptureFigures:
    """Return everything that a capture says of the RTP streams in it.

    Args:
        path: The capture.
        told: Codec and clock rate of payload types that nothing else tells.
        progress: Told how far it is, 0 to 1.
        tracks_to: A folder for the voices as sound; None: they are not wanted.

    Raises:
        NotFoundError: There is no such file.
        UsageError: It is no capture, or holds no RTP; or nothing that can be heard, and tracks are wanted.
        BlinkError: It cannot be read, or a track cannot be written.

    """
    reader = CaptureReader(path, lambda part: progress(part / 2))
    surveyed = survey(reader, told)
    if not surveyed.streams:
        raise _no_rtp(path, reader, surveyed)
    read_part = 1.0 if tracks_to is None else _READ_PART
    again = CaptureReader(path, lambda part: progress((1 + part) / 2 * read_part))
    analysis = CaptureAnalysis(surveyed.streams)
    files: dict[StreamKey | None, list[Path]] = {}
    if tracks_to is None:
        analysis.read(again)
    else:
        from blink_cli.app.files.capture_tracks import CaptureTracks  # noqa: PLC0415 - av and numpy, for tracks alone

        tracks = CaptureTracks(tracks_to, surveyed.streams, path)
        analysis.read(again, tracks.take)
        files = tracks.finish(lambda part: progress(read_part + part * (1 - read_part)))
    left_out = surveyed.left_out
    return RtpCaptureFigures(
        path=str(path),
        format=str(again.format),
        begun=time_text(analysis.first_ns),
        duration_s=round((analysis.last_ns - analysis.first_ns) / 1e9, 6),
        frames=again.frames,
        damage=again.damage,
        left_out=LeftOutFigures(
            other_link=left_out[LeftOut.OTHER_LINK],
            not_ip=left_out[LeftOut.NOT_IP],
            not_udp=left_out[LeftOut.NOT_UDP],
            fragments=left_out[LeftOut.FRAGMENT],
            cut_off=left_out[LeftOut.CUT_OFF],
            rtcp=surveyed.rtcp,
            unproved=surveyed.unproved,
            other_udp=sum(surveyed.first_bytes.values()),
        ),
        streams=tuple(
            structs.replace(stream, track=str(files[key][0])) if key in files else stream
            for key, stream in analysis.figures().items()
        ),
        streams_omitted=surveyed.streams_omitted,
        tshark=_tshark(path, surveyed.streams),
        tracks=tuple(str(file) for made in files.values() for file in made),
    )


def _tshark(path: Path, streams: Mapping[StreamKey, PayloadTypes]) -> str:
    """The command that shows the same streams: tshark must be told the ports and the dynamic payload types."""
    ports = list(dict.fromkeys(key.flow.target_port for key in streams))[:_MOST_PORTS]
    opus = {number for types in streams.values() for number in types.of_codec("opus") if number >= 96}
    words = ["tshark", "-r", str(path)]
    for port in ports:
        words += ["-d", f"udp.port=={port},rtp"]
    for number in sorted(opus):
        words += ["-d", f"rtp.pt=={number},opus"]
    return shlex.join([*words, "-q", "-z", "rtp,streams"])


def _no_rtp(path: Path, reader: CaptureReader, surveyed: Surveyed) -> UsageError:
    """What was seen instead, and what to do."""
    frames, left_out = reader.frames, surveyed.left_out
    hint = "Capture the media themselves, for example `tcpdump -i any -w call.pcap udp`."
    if reader.damage is not None and not frames:
        return UsageError(f"{path} holds no frame that can be read: {reader.damage}.", hint=hint)
    if not frames:
        return UsageError(f"{path} is a capture without a single frame.", hint=hint)
    if left_out[LeftOut.OTHER_LINK] == frames:
        link, _ = surveyed.links.most_common(1)[0]
        name = LINK_NAMES.get(link, "unknown here")
        return UsageError(
            f"{path} was captured on a link of type {link} ({name}), which is not read here.",
            hint="Ethernet, Linux cooked, loopback and raw IP are; capture with `tcpdump -i any`.",
        )
    if 2 * left_out[LeftOut.CUT_OFF] > frames:
        return UsageError(
            f"{path} holds no RTP: {left_out[LeftOut.CUT_OFF]} of its {frames} frames were cut off before the header of RTP.",
            hint="Capture whole packets: `tcpdump -s 0`.",
        )
    seen = f"{frames} frames, {surveyed.datagrams} UDP datagrams"
    others = ", ".join(
        f"{count} of {kind}" for kind, count in surveyed.first_bytes.most_common() if kind != "other"
    )
    if surveyed.unproved:
        others = ", ".join(
            filter(None, (others, f"{surveyed.unproved} that look like RTP and do not follow each other"))
        )
    if surveyed.rtcp:
        others = ", ".join(filter(None, (others, f"{surveyed.rtcp} of RTCP")))
    if others:
        seen += f" ({others})"
    if left_out[LeftOut.FRAGMENT]:
        seen += f", {left_out[LeftOut.FRAGMENT]} fragments, which are not put together"
    if surveyed.first_bytes["DTLS"] and not surveyed.rtcp:
        hint = (
            "DTLS was seen, but no media behind it: capture for longer, or on the path that the media take."
        )
    return UsageError(f"{path} holds no RTP stream. Seen: {seen}.", hint=hint)
