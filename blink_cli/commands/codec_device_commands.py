"""The codec tool's commands that use a microphone or a speaker. They work without a session, and beside one."""

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from blink_cli.api.option_words import input_device, output_device
from blink_cli.codec.figures import FeedbackDone, SoundPlayed, SoundRecorded
from blink_cli.codec.options import LineOptions, SampleFormat, Source, one_of, share
from blink_cli.commands.codec_parameters import (
    ApplicationOption,
    BandwidthOption,
    Bitrate,
    Burst,
    Cbr,
    Complexity,
    Dtx,
    Fec,
    FrameMs,
    InPath,
    Loss,
    OutFormat,
    RawChannels,
    RawFormat,
    RawRate,
    coder_options,
    raw_form,
    show,
)
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.shell_completion import complete_input, complete_output, complete_path
from blink_cli.core.errors import UsageError
from blink_cli.core.media.codec_settings import Redundancy

MOST_SECONDS = 600
"""`codec.device_sound.MOST_SECONDS`, which loads numpy."""

InputOption = Annotated[
    str, typer.Option("--input", metavar="DEV", help="The microphone.", autocompletion=complete_input)
]
OutputOption = Annotated[
    str, typer.Option("--output", metavar="DEV", help="The speaker.", autocompletion=complete_output)
]


def register(codec: typer.Typer) -> None:
    """Add these commands to the group `codec`."""
    command(codec, "feedback", prints=FeedbackDone)(feedback)
    command(codec, "record", prints=SoundRecorded)(record)
    command(codec, "play", prints=SoundPlayed)(play)


async def feedback(
    context: CommandContext,
    *,
    input: InputOption = "default",  # noqa: A002 - the option's name
    output: OutputOption = "default",
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", min=0.2, metavar="S", help="How long; if left out until Ctrl-C."),
    ] = None,
    bitrate: Bitrate = 32_000,
    frame_ms: FrameMs = 20.0,
    bandwidth: BandwidthOption = "auto",
    application: ApplicationOption = "voip",
    fec: Fec = False,
    dtx: Dtx = False,
    cbr: Cbr = False,
    complexity: Complexity = 10,
    loss: Loss = "0",
    burst: Burst = 1.0,
    redundancy: Annotated[
        str, typer.Option("--redundancy", metavar="N", help="Earlier frames in each packet: 0 to 4, or auto.")
    ] = "0",
    delay: Annotated[
        float,
        typer.Option("--delay", metavar="MS", help="How long the playout buffer waits at least, 0 to 1000."),
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the loss.")] = 1,
) -> None:
    """Hear a microphone through the codec, live.

    With a call's own source track, packets, playout buffer and mixer. Use headphones: a speaker beside the microphone howls. For example `blink codec feedback --bitrate 12000 --loss 5%`, or without hardware
    `blink codec feedback --input file:voice.wav --output wav:heard.wav --seconds 10`.
    """
    one_of("A redundancy", redundancy, get_args(Redundancy))
    if not 0 <= delay <= 1_000:
        raise UsageError(f"A delay of {delay:g} ms is not possible.", hint="Choose 0 to 1000.")
    coder = coder_options(
        bitrate=bitrate,
        frame_ms=frame_ms,
        bandwidth=bandwidth,
        application=application,
        channels=1,
        encode_rate=48_000,
        fec=fec,
        dtx=dtx,
        cbr=cbr,
        complexity=complexity,
        redundancy=redundancy,
    )
    line = LineOptions(loss=share(loss), burst_packets=burst, delay_ms=delay, seed=seed, through_rtp=True)
    names = input_device(input), output_device(output)
    from blink_cli.commands.codec_live import run_feedback  # noqa: PLC0415 - numpy: `--help` needs none
    from blink_cli.commands.codec_text import feedback_lines  # noqa: PLC0415 - as above

    done = await run_feedback(context, names, coder, line, seconds)
    show(context, done, feedback_lines(done))


async def record(
    context: CommandContext,
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", autocompletion=complete_path, help="Sound: .wav, .flac, .aiff, .raw."),
    ],
    *,
    input: InputOption = "default",  # noqa: A002 - the option's name
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.1, max=MOST_SECONDS, metavar="S", help="How long.")
    ] = 10.0,
    sample_format: OutFormat = None,
) -> None:
    """Record a microphone into a file, as a call would hear it.

    One channel at 48 kHz. For example `blink codec record voice.wav --seconds 5`, or `blink codec record voice.raw --sample-format f32`.
    """
    form = cast("SampleFormat | None", sample_format)
    if form is not None:
        one_of("A sample format", form, ("s16", "s24", "s32", "f32"))
    from blink_cli.commands.codec_live import run_recording  # noqa: PLC0415 - as above
    from blink_cli.commands.codec_text import recorded_lines  # noqa: PLC0415 - as above

    done = await run_recording(context, input_device(input), out, seconds, form)
    show(context, done, recorded_lines(done))


async def play(
    context: CommandContext,
    source: InPath,
    *,
    output: OutputOption = "default",
    raw_rate: RawRate = None,
    raw_channels: RawChannels = None,
    raw_format: RawFormat = None,
) -> None:
    """Play a sound file on a speaker.

    For example `blink codec play heard.wav`, or samples without a header at another rate: `blink codec play heard.raw --raw-rate 16000`.
    """
    wanted = Source(source, raw_form(raw_rate, raw_channels, raw_format))
    from blink_cli.commands.codec_live import run_playing  # noqa: PLC0415 - as above
    from blink_cli.commands.codec_text import played_lines  # noqa: PLC0415 - as above

    done = await run_playing(context, wanted, output_device(output))
    show(context, done, played_lines(done))
