"""What the commands of the codec tool share: their options, and how these become values."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
import typer

from blink_cli.codec.options import CoderOptions, HeardForm, RawForm, SampleFormat
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.api.replies.document import SCHEMA
from blink_cli.core.media.codec_settings import CodecSettings

if TYPE_CHECKING:
    from blink_cli.core.media.codec_settings import Application, Bandwidth, Redundancy

InPath = Annotated[
    Path,
    typer.Argument(
        metavar="IN",
        autocompletion=complete_path,
        help="WAV, FLAC, MP3, Ogg, MP4 … or samples without a header.",
    ),
]
Bitrate = Annotated[int, typer.Option("--bitrate", metavar="BPS", help="Bits a second, 6000 to 510000.")]
FrameMs = Annotated[float, typer.Option("--frame-ms", metavar="MS", help="2.5, 5, 10, 20, 40 or 60.")]
BandwidthOption = Annotated[
    str,
    typer.Option(
        "--bandwidth",
        metavar="B",
        help="narrow (4 kHz), medium (6), wide (8), superwide (12), full (20) or auto.",
    ),
]
ApplicationOption = Annotated[
    str, typer.Option("--application", metavar="A", help="voip, audio or lowdelay.")
]
Channels = Annotated[
    int | None,
    typer.Option("--channels", metavar="N", help="To encode: 1 or 2; if left out as many as IN has."),
]
LineChannels = Annotated[
    int | None,
    typer.Option(
        "--channels", metavar="N", help="To encode: 1 or 2; if left out as many as IN has, one with --rtp."
    ),
]
EncodeRate = Annotated[
    int,
    typer.Option(
        "--encode-rate",
        metavar="HZ",
        help="Of the samples that the encoder gets: 8000, 12000, 16000, 24000, 48000.",
    ),
]
Fec = Annotated[bool, typer.Option("--fec", help="Let packets carry a small copy of the frame before.")]
Dtx = Annotated[bool, typer.Option("--dtx", help="Send nothing while there is silence.")]
Cbr = Annotated[bool, typer.Option("--cbr", help="Make all packets equally long.")]
Complexity = Annotated[int, typer.Option("--complexity", metavar="N", help="Effort of the encoder, 0 to 10.")]
Loss = Annotated[
    str, typer.Option("--loss", metavar="P", help="Lose packets: 10%, 10 (per cent, from 1 on) or 0.1.")
]
Burst = Annotated[float, typer.Option("--burst", metavar="N", help="So many are lost in a row, on average.")]
Copy = Annotated[
    bool, typer.Option("--copy", help="IN holds Opus packets: take them as they are, without encoding anew.")
]
DecodeRate = Annotated[
    int, typer.Option("--decode-rate", metavar="HZ", help="To decode at: 8000, 12000, 16000, 24000, 48000.")
]
DecodeChannels = Annotated[
    int | None,
    typer.Option(
        "--decode-channels", metavar="N", help="To decode to: 1 or 2; if left out as many as were encoded."
    ),
]
OutFormat = Annotated[
    str | None,
    typer.Option(
        "--sample-format",
        metavar="F",
        help="Of OUT: s16, s24, s32 or f32; else s16, and f32 without a header.",
    ),
]
RawRate = Annotated[
    int | None, typer.Option("--raw-rate", metavar="HZ", help="IN has no header: its rate (48000).")
]
RawChannels = Annotated[
    int | None, typer.Option("--raw-channels", metavar="N", help="IN has no header: its channels (1).")
]
RawFormat = Annotated[
    str | None,
    typer.Option(
        "--raw-format", metavar="F", help="IN has no header: s16, s24, s32 or f32 (f32), little-endian."
    ),
]


def show(context: CommandContext, figures: msgspec.Struct, lines: Sequence[str]) -> None:
    """Print figures: the document with `--json`, else the lines."""
    if context.output.json:
        context.output.document(document(figures))
        return
    for line in lines:
        context.output.line(line, hang=12)


def document(figures: msgspec.Struct) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {"schema": SCHEMA, **msgspec.to_builtins(figures)}


def coder_options(
    *,
    bitrate: int,
    frame_ms: float,
    bandwidth: str,
    application: str,
    channels: int | None,
    encode_rate: int,
    fec: bool,
    dtx: bool,
    cbr: bool,
    complexity: int,
    redundancy: str = "0",
) -> CoderOptions:
    """How sound is to be encoded.

    Raises:
        UsageError: It cannot be so.

    """
    settings = CodecSettings(
        bitrate_bps=bitrate,
        frame_ms=frame_ms,
        bandwidth=cast("Bandwidth", bandwidth),
        application=cast("Application", application),
        fec="on" if fec else "off",
        dtx=dtx,
        cbr=cbr,
        redundancy=cast("Redundancy", redundancy),
        complexity=complexity,
        stereo=channels == 2,
    )
    return CoderOptions(settings=settings, rate_hz=encode_rate, channels=channels)


def heard_form(rate_hz: int, channels: int | None, sample_format: str | None) -> HeardForm:
    """How decoded sound is to come out. Raises as `coder_options`."""
    return HeardForm(
        rate_hz=rate_hz, channels=channels, sample_format=cast("SampleFormat | None", sample_format)
    )


def raw_form(rate: int | None, channels: int | None, form: str | None) -> RawForm | None:
    """How samples without a header are laid out; None if nothing was said of it. Raises as `coder_options`."""
    if rate is None and channels is None and form is None:
        return None
    return RawForm(
        48_000 if rate is None else rate,
        1 if channels is None else channels,
        cast("SampleFormat", form or "f32"),
    )
