"""Runs the codec tool's commands that use devices, and shows how it goes while somebody watches."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from blink_cli.audio.device_test.microphone import LevelNow
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.codec.device_sound import play_file, record_file
from blink_cli.codec.feedback import Feedback, FeedbackNow
from blink_cli.codec.figures import FeedbackDone, SoundPlayed, SoundRecorded
from blink_cli.codec.options import CoderOptions, LineOptions, SampleFormat, Source
from blink_cli.codec.sound_writer import require_sound
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.own_thread import on_own_thread
from blink_cli.commands.session_sources import ProfileSource
from blink_cli.commands.show.level_bar import FREE_CELLS, level_bar
from blink_cli.commands.show.terminal import columns_of
from blink_cli.commands.stopping import stop_signals
from blink_cli.core.api.device_name import FileDevice, parse_input_name
from blink_cli.core.text.path_text import shown
from blink_cli.runtime.clock import MonotonicClock

SHOWN_EVERY_S: Final = 0.1


async def run_feedback(
    context: CommandContext,
    names: tuple[str, str],
    coder: CoderOptions,
    line: LineOptions,
    seconds: float | None,
) -> FeedbackDone:
    """Hear a microphone through the codec until it is enough.

    Args:
        context: Of the command.
        names: Of input and output.
        coder: How it is encoded.
        line: What is lost, and how long the playout waits.
        seconds: How long; None: until Ctrl-C, which is no failure.

    Raises:
        BlinkError: A device does not work.

    """
    opener = DeviceOpener()
    microphone = await asyncio.to_thread(opener.open_input, names[0])
    speaker = await asyncio.to_thread(opener.open_output, names[1], beside=names[0])
    bar = _StatusLine(context)
    async with _told_to_stop(context) as stopped:
        loop = Feedback(microphone, speaker, coder, line, MonotonicClock())
        await asyncio.to_thread(loop.start)
        try:
            context.output.message(
                f"{shown(microphone.parameters.name)} is heard on {shown(speaker.parameters.name)}"
                + ("; Ctrl-C ends it" if seconds is None else "")
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await _watch(loop, bar, stopped)
            done = loop.figures()
        finally:
            bar.clear()
            await asyncio.shield(asyncio.to_thread(loop.stop))
    return done


async def run_recording(
    context: CommandContext, name: str, out: Path, seconds: float, sample_format: SampleFormat | None
) -> SoundRecorded:
    """Record a microphone into a file. Raises `BlinkError` if it or the file does not work."""
    require_sound(out, _file_of(name))
    microphone = await asyncio.to_thread(DeviceOpener().open_input, name)
    bar = _StatusLine(context)
    context.output.message(f"recording {seconds:g} s from {shown(microphone.parameters.name)}")

    def work(go_on: Callable[[], None]) -> SoundRecorded:
        return record_file(
            microphone,
            out,
            seconds=seconds,
            sample_format=sample_format,
            clock=MonotonicClock(),
            on_level=bar.level,
            go_on=go_on,
        )

    try:
        return await on_own_thread("blink-record", work)
    finally:
        bar.clear()


async def run_playing(context: CommandContext, source: Source, name: str) -> SoundPlayed:
    """Play a file on a speaker. Raises `BlinkError` if it or the file does not work."""
    speaker = await asyncio.to_thread(DeviceOpener().open_output, name, beside=f"file:{source.path}")

    def say() -> None:
        context.output.message(f"playing {shown(source.path)} on {shown(speaker.parameters.name)}")

    return await on_own_thread(
        "blink-play", lambda go_on: play_file(source, speaker, MonotonicClock(), go_on, on_read=say)
    )


def _file_of(name: str) -> Path | None:
    """The file that an input's name names, if any."""
    named = parse_input_name(name)
    return Path(named.path).expanduser() if isinstance(named, FileDevice) else None


async def _watch(loop: Feedback, bar: "_StatusLine", stopped: asyncio.Event) -> None:
    while not stopped.is_set():
        bar.feedback(loop.look())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHOWN_EVERY_S):
                await stopped.wait()


@contextlib.asynccontextmanager
async def _told_to_stop(context: CommandContext) -> AsyncIterator[asyncio.Event]:
    """At the shell Ctrl-C is how this ends; a prompt has its own."""
    if isinstance(context.source, ProfileSource):
        async with stop_signals() as stopped:
            yield stopped
    else:
        yield asyncio.Event()


class _StatusLine:
    """One line on stderr that is written over, while somebody watches."""

    def __init__(self, context: CommandContext) -> None:
        self._shown = (
            sys.stderr.isatty()
            and context.options.verbosity >= 0
            and isinstance(context.source, ProfileSource)  # a prompt keeps its terminal
        )

    def level(self, now: LevelNow) -> None:
        """Of a recording."""
        self._write(f"{now.elapsed_s:4.1f} s  {level_bar(now.level_dbov, now.peak_dbfs)}")

    def feedback(self, now: FeedbackNow) -> None:
        """Of a microphone that is heard."""
        rate = "" if now.bitrate_bps is None else f"  {now.bitrate_bps / 1000:.0f} kb/s"
        lost = f"  {now.lost} lost" if now.lost else ""
        self._write(
            f"{level_bar(now.level_dbov, now.loudest_dbov)}  delay {now.delay.total_ms:.0f} ms{rate}{lost}"
        )

    def clear(self) -> None:
        """Leave no trace."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _write(self, text: str) -> None:
        if self._shown:
            columns = columns_of(sys.stderr) or len(text) + FREE_CELLS
            sys.stderr.write(f"\r{text[: columns - FREE_CELLS]}\x1b[K")
            sys.stderr.flush()
