"""The codec tool: what Opus and its packets make of sound files. Works without a session. With devices: `codec_device_commands`."""

import sys
from pathlib import Path
from typing import Annotated, cast

import typer

from blink_cli.codec.figures import CodecInfo, LoudnessDone, PacketsDecoded, PacketsWritten, RoundTripDone
from blink_cli.codec.options import (
    METHODS,
    CoderOptions,
    LineOptions,
    LoudnessMethod,
    Score,
    Source,
    one_of,
    share,
)
from blink_cli.commands.codec_parameters import (
    ApplicationOption,
    BandwidthOption,
    Bitrate,
    Burst,
    Cbr,
    Channels,
    Complexity,
    Copy,
    DecodeChannels,
    DecodeRate,
    Dtx,
    EncodeRate,
    Fec,
    FrameMs,
    InPath,
    LineChannels,
    Loss,
    OutFormat,
    RawChannels,
    RawFormat,
    RawRate,
    coder_options,
    heard_form,
    raw_form,
    show,
)
from blink_cli.commands.command import CommandFunction, command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.errors import UsageError
from blink_cli.core.text.path_text import shown


def register(codec: typer.Typer) -> None:
    """Add these commands to the group `codec`."""
    command(codec, "roundtrip", prints=RoundTripDone)(roundtrip)
    command(codec, "ogg", prints=PacketsWritten)(ogg)
    command(codec, "mp4", prints=PacketsWritten)(mp4)
    command(codec, "decode", prints=PacketsDecoded)(decode)
    command(codec, "loudness", prints=LoudnessDone)(loudness)
    command(codec, "info", prints=CodecInfo)(info)


async def roundtrip(
    context: CommandContext,
    source: InPath,
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            autocompletion=complete_path,
            help="What is heard: .wav, .flac, .aiff, .raw; or the packets: .opus, .mp4.",
        ),
    ],
    *,
    bitrate: Bitrate = 32_000,
    frame_ms: FrameMs = 20.0,
    bandwidth: BandwidthOption = "auto",
    application: ApplicationOption = "voip",
    channels: LineChannels = None,
    encode_rate: EncodeRate = 48_000,
    fec: Fec = False,
    dtx: Dtx = False,
    cbr: Cbr = False,
    complexity: Complexity = 10,
    loss: Loss = "0",
    burst: Burst = 1.0,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="The same seed loses the same packets.")
    ] = 1,
    rtp: Annotated[
        bool, typer.Option("--rtp", help="Through RTP sender, receiver and playout buffer, as in a call.")
    ] = False,
    redundancy: Annotated[
        str | None,
        typer.Option(
            "--redundancy",
            metavar="N",
            help="With --rtp, which it implies: earlier frames in each packet, 0 to 4, or auto.",
        ),
    ] = None,
    delay: Annotated[
        float, typer.Option("--delay", metavar="MS", help="With --rtp, which it implies: of the network.")
    ] = 0.0,
    jitter: Annotated[
        float,
        typer.Option(
            "--jitter", metavar="MS", help="With --rtp, which it implies: how much later packets come."
        ),
    ] = 0.0,
    decode_rate: DecodeRate = 48_000,
    decode_channels: DecodeChannels = None,
    sample_format: OutFormat = None,
    raw_rate: RawRate = None,
    raw_channels: RawChannels = None,
    raw_format: RawFormat = None,
    score: Annotated[
        str,
        typer.Option(
            "--score",
            metavar="WHICH",
            help="Judges of quality: pesq, visqol, with a comma; none; auto: those installed.",
        ),
    ] = "auto",
) -> None:
    """Encode a sound file, decode it, and tell what that did to it.

    For example `blink codec roundtrip voice.wav heard.wav --bitrate 24000 --loss 10% --fec`, and through a call's packets and playout buffer
    `blink codec roundtrip voice.wav heard.wav --rtp --loss 10% --burst 3 --redundancy 2`.
    """
    through_rtp = rtp or redundancy is not None or delay > 0 or jitter > 0
    line = LineOptions(
        loss=share(loss),
        burst_packets=burst,
        delay_ms=delay,
        jitter_ms=jitter,
        seed=seed,
        through_rtp=through_rtp,
    )
    coder = coder_options(
        bitrate=bitrate,
        frame_ms=frame_ms,
        bandwidth=bandwidth,
        application=application,
        channels=channels,
        encode_rate=encode_rate,
        fec=fec,
        dtx=dtx,
        cbr=cbr,
        complexity=complexity,
        redundancy=redundancy or "0",
    )
    heard = heard_form(decode_rate, decode_channels, sample_format)
    scores, required = _scores(score)
    from blink_cli.codec.roundtrip import RoundTrip, round_trip  # noqa: PLC0415 - numpy: `--help` needs none
    from blink_cli.commands.codec_text import round_trip_lines  # noqa: PLC0415 - as above
    from blink_cli.commands.work_progress import with_progress  # noqa: PLC0415 - as above

    wanted = RoundTrip(
        source=Source(source, raw_form(raw_rate, raw_channels, raw_format)),
        out=out,
        coder=coder,
        line=line,
        heard=heard,
        scores=scores,
        scores_required=required,
    )
    done = await with_progress(context, "round trip", lambda progress: round_trip(wanted, progress))
    show(context, done, round_trip_lines(done))
    for missing in done.quality.missing:
        context.output.message(missing)


def _writing(kind: str, out_help: str, help_text: str) -> CommandFunction[...]:
    """A command that encodes into a file of packets, or copies them there: `ogg` and `mp4` differ in nothing else."""

    async def write(
        context: CommandContext,
        source: InPath,
        out: Annotated[Path, typer.Argument(metavar="OUT", autocompletion=complete_path, help=out_help)],
        *,
        copy: Copy = False,
        bitrate: Bitrate = 32_000,
        frame_ms: FrameMs = 20.0,
        bandwidth: BandwidthOption = "auto",
        application: ApplicationOption = "audio",
        channels: Channels = None,
        encode_rate: EncodeRate = 48_000,
        fec: Fec = False,
        dtx: Dtx = False,
        cbr: Cbr = False,
        complexity: Complexity = 10,
        raw_rate: RawRate = None,
        raw_channels: RawChannels = None,
        raw_format: RawFormat = None,
    ) -> None:
        coder = coder_options(
            bitrate=bitrate,
            frame_ms=frame_ms,
            bandwidth=bandwidth,
            application=application,
            channels=channels,
            encode_rate=encode_rate,
            fec=fec,
            dtx=dtx,
            cbr=cbr,
            complexity=complexity,
        )
        raw = raw_form(raw_rate, raw_channels, raw_format)
        await _write_packets(context, Source(source, raw), out, kind, None if copy else coder)

    write.__doc__ = help_text
    return write


ogg = _writing(
    "Ogg Opus",
    "Ogg Opus: .opus or .ogg.",
    """Encode a sound file as Ogg Opus, or copy Opus packets into it.

    For example `blink codec ogg music.flac music.opus --bitrate 96000`, or `blink codec ogg call.mp4 call.opus --copy`.
    """,
)
mp4 = _writing(
    "MP4",
    "MP4: .mp4 or .m4a.",
    """Encode a sound file as MP4, or copy Opus packets into it.

    For example `blink codec mp4 voice.wav voice.mp4`, or of samples without a header `blink codec mp4 voice.raw voice.mp4 --raw-rate 16000 --raw-format s16`.
    """,
)


async def _write_packets(
    context: CommandContext, source: Source, out: Path, kind: str, coder: CoderOptions | None
) -> None:
    from blink_cli.codec.packet_files import copy_packets, encode_file  # noqa: PLC0415 - numpy: `--help` needs none
    from blink_cli.codec.sound_writer import kind_of  # noqa: PLC0415 - as above
    from blink_cli.commands.codec_text import written_lines  # noqa: PLC0415 - as above
    from blink_cli.commands.work_progress import with_progress  # noqa: PLC0415 - as above

    if kind_of(out) != kind:
        endings = ".mp4 or .m4a" if kind == "MP4" else ".opus or .ogg"
        raise UsageError(f"{shown(out)} is no name of a file that is {kind}.", hint=f"End it with {endings}.")
    done = await with_progress(
        context,
        "encoding" if coder else "copying",
        lambda progress: (
            encode_file(source, out, coder, progress) if coder else copy_packets(source.path, out, progress)
        ),
    )
    show(context, done, written_lines(done))


async def decode(
    context: CommandContext,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", autocompletion=complete_path, help="Opus packets: Ogg Opus, MP4, WebM, Matroska."
        ),
    ],
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", autocompletion=complete_path, help="Sound: .wav, .flac, .aiff, .raw."),
    ],
    *,
    decode_rate: DecodeRate = 48_000,
    decode_channels: DecodeChannels = None,
    sample_format: OutFormat = None,
) -> None:
    """Decode a file of Opus packets.

    At any rate of Opus, and to one or two channels. For example `blink codec decode voice.opus voice.wav --decode-rate 16000 --decode-channels 1`.
    """
    heard = heard_form(decode_rate, decode_channels, sample_format)
    from blink_cli.codec.packet_files import decode_file  # noqa: PLC0415 - as above
    from blink_cli.commands.codec_text import decoded_lines  # noqa: PLC0415 - as above
    from blink_cli.commands.work_progress import with_progress  # noqa: PLC0415 - as above

    done = await with_progress(
        context, "decoding", lambda progress: decode_file(source, out, heard, progress)
    )
    show(context, done, decoded_lines(done))
    if done.tracks > 1:
        context.output.message(f"{shown(source)} has {done.tracks} tracks: the first one was decoded")


async def loudness(
    context: CommandContext,
    source: InPath,
    *,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="M",
            help="Over time: bs1770, momentary and short-term loudness; or rms, of each 0.1 s.",
        ),
    ] = "bs1770",
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="OUT.csv", autocompletion=complete_path, help="Write a row for each 0.1 s."
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="OUT.png", autocompletion=complete_path, help="Draw it into a picture."
        ),
    ] = None,
    chart: Annotated[
        bool, typer.Option("--chart/--no-chart", help="Draw it in the terminal, or not.")
    ] = True,
    width: Annotated[
        int | None,
        typer.Option("--width", metavar="N", help="Columns of the chart; if left out those of the terminal."),
    ] = None,
    raw_rate: RawRate = None,
    raw_channels: RawChannels = None,
    raw_format: RawFormat = None,
) -> None:
    """Tell how loud a sound file is, over time and as a whole.

    For example `blink codec loudness call.flac --csv call.csv`, or `blink codec loudness voice.raw --raw-rate 48000 --method rms`.
    """
    one_of("A method", method, METHODS)
    if width is not None and not 20 <= width <= 1_000:
        raise UsageError(f"A width of {width} columns is not possible.", hint="Choose 20 to 1000.")
    wanted = Source(source, raw_form(raw_rate, raw_channels, raw_format))
    from blink_cli.codec.loudness_over_time import loudness as measured  # noqa: PLC0415 - numpy: `--help` needs none
    from blink_cli.commands.codec_text import loudness_lines  # noqa: PLC0415 - as above
    from blink_cli.commands.show.terminal import USUAL_COLUMNS, columns_of  # noqa: PLC0415 - as above
    from blink_cli.commands.work_progress import with_progress  # noqa: PLC0415 - as above

    found = await with_progress(
        context,
        "loudness",
        lambda progress: measured(wanted, cast("LoudnessMethod", method), csv, plot, progress),
    )
    columns = width or (columns_of(sys.stdout) or USUAL_COLUMNS + 1) - 1
    show(context, found.figures, loudness_lines(found.figures, found.over_time if chart else None, columns))
    for path in filter(None, (csv, plot)):
        context.output.message(f"written: {shown(path)}")


async def info(context: CommandContext) -> None:
    """Tell what Opus can do, and which judges are installed.

    Rates, frame lengths and the samples they are, bandwidths, bit rates. For example `blink codec info`; how a session encodes now says `blink codec show`.
    """
    from blink_cli.codec.possibilities import possibilities  # noqa: PLC0415 - looks for libopus
    from blink_cli.commands.codec_text import info_lines  # noqa: PLC0415 - as above

    found = possibilities()
    show(context, found, info_lines(found))


def _scores(text: str) -> tuple[tuple[Score, ...], bool]:
    """Which judges are wanted, and whether one that is not installed is an error."""
    if text in ("none", ""):
        return (), False
    if text == "auto":
        return ("pesq", "visqol"), False
    wanted = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in wanted:
        one_of("A score", name, ("pesq", "visqol"))
    return cast("tuple[Score, ...]", wanted), True
