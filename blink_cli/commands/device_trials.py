"""Tries a microphone or a speaker, shows how it goes, and says what was found."""

import asyncio
import sys
from collections.abc import Callable
from typing import Final

import msgspec

from blink_cli.api.option_words import input_device, output_device
from blink_cli.app.profile.device_memory import DeviceMemory
from blink_cli.audio.device_test.findings import Finding, input_findings, output_findings
from blink_cli.audio.device_test.microphone import InputRecording, LevelNow, record
from blink_cli.audio.device_test.speaker import (
    OutputTried,
    Part,
    channel_name,
    play,
    recording,
    tones,
)
from blink_cli.audio.devices.engine import OutputChannels
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.commands.chosen_profile import profile_of
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.device_test_report import input_document, output_document, tell_input, tell_output
from blink_cli.commands.names_shown import counted, described_device
from blink_cli.commands.own_thread import on_own_thread
from blink_cli.commands.parsing import ExitWith
from blink_cli.commands.session_sources import ProfileSource
from blink_cli.commands.show.level_bar import FREE_CELLS, level_bar
from blink_cli.commands.show.terminal import columns_of, understands_escapes
from blink_cli.core.api.device_name import NullDevice, WavDevice, parse_output_name
from blink_cli.core.api.requests import GetStatus
from blink_cli.core.errors import BlinkError, NoSessionError, NotFoundError, UsageError
from blink_cli.core.exit_codes import ExitCode
from blink_cli.runtime.clock import MonotonicClock

NOBODY: Final = frozenset({"none", "null"})


class _Chosen(msgspec.Struct, frozen=True):
    """Devices that a call of this profile would use now."""

    input: str
    output: str
    of_session: bool


async def try_input(
    context: CommandContext, device: str | None, *, seconds: float, playback: str | None
) -> None:
    """Record, play back, and report.

    Args:
        context: Of the command.
        device: Which; None: the one that a call would use.
        seconds: How long.
        playback: Where to play it back; empty: where a call would be heard; None: nowhere.

    Raises:
        BlinkError: A device that was named cannot be used.
        ExitWith: The microphone is wrong; it has been said how.

    """
    chosen = await _chosen(context)
    name = chosen.input if device is None else input_device(device)
    speaker = _playback_name(playback, chosen)
    bar = _LevelBar(context)
    recorded = await _recorded(context, name, seconds, bar)
    found = list(input_findings(recorded))
    played: OutputTried | None = None
    if speaker is not None and not any(finding.code == "only_zeros" for finding in found):
        try:
            played = await _played_back(context, speaker, recorded)
        except BlinkError as reason:
            if playback:
                raise
            found.append(_not_played(speaker, reason))
    if played is not None:
        found += output_findings(played)
    found.sort(key=lambda finding: not finding.fault)
    document = input_document(recorded, found, played)
    if context.output.json:
        context.output.document(msgspec.to_builtins(document))
    else:
        tell_input(context, document)
    if not document.ok:
        raise ExitWith(ExitCode.ASSERTION_FAILED)


async def try_output(
    context: CommandContext, device: str | None, *, channel: int | None, seconds: float
) -> None:
    """Play a tone on each channel, and report.

    Raises:
        BlinkError: The speaker cannot be used.
        ExitWith: It did not take the sound; it has been said how.

    """
    chosen = await _chosen(context)
    name = chosen.output if device is None else output_device(device)
    _keep_file(name, chosen, named=device is not None)
    opener = DeviceOpener(OutputChannels.EVERY)
    speaker = await asyncio.to_thread(opener.open_output, name)
    channels, rate_hz = speaker.parameters.channels, speaker.parameters.sample_rate_hz
    if channel is not None and channel > channels:
        raise NotFoundError(
            f"{name} has {counted(channels, 'channel')}; there is no channel {channel}.",
            hint="Channels count from 1.",
        )
    wanted = range(1, channels + 1) if channel is None else (channel,)

    def work(go_on: Callable[[], None]) -> OutputTried:
        def announce(part: Part) -> None:
            go_on()
            if part.channel is not None:
                context.output.message(f"{channel_name(part.channel, channels)} …")

        return play(speaker, tones(tuple(wanted), seconds, rate_hz), MonotonicClock(), announce, go_on)

    tried = await on_own_thread("blink-test-output", work)
    found = output_findings(tried)
    document = output_document(tried, found, tuple(wanted), channels, seconds)
    if context.output.json:
        context.output.document(msgspec.to_builtins(document))
    else:
        tell_output(context, document)
    if not document.ok:
        raise ExitWith(ExitCode.ASSERTION_FAILED)


class _LevelBar:
    """Shows the level while somebody watches."""

    def __init__(self, context: CommandContext) -> None:
        self._shown = (
            understands_escapes(sys.stderr)
            and context.options.verbosity >= 0
            and isinstance(context.source, ProfileSource)  # a prompt keeps its terminal
        )

    def show(self, now: LevelNow) -> None:
        if self._shown:
            text = f"{now.elapsed_s:4.1f} s  {level_bar(now.level_dbov, now.peak_dbfs)}"
            text = text[: (columns_of(sys.stderr) or len(text) + FREE_CELLS) - FREE_CELLS]
            sys.stderr.write(f"\r{text}\x1b[K")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


async def _chosen(context: CommandContext) -> _Chosen:
    try:
        status = await context.ask(GetStatus())
    except NoSessionError:
        return await asyncio.to_thread(_remembered, DeviceMemory(profile_of(context.options)))
    return _Chosen(status.input, status.output, of_session=True)


def _remembered(memory: DeviceMemory) -> _Chosen:
    return _Chosen(
        memory.chosen("input") or "default", memory.chosen("output") or "default", of_session=False
    )


def _playback_name(playback: str | None, chosen: _Chosen) -> str | None:
    """Where to play a recording back; None: nowhere."""
    if playback is None or playback in NOBODY:
        return None
    if playback:
        name = output_device(playback)
        _keep_file(name, chosen, named=True)
        return name
    # Nobody asked for a file to be written, nor for nothing to be heard of it.
    return None if isinstance(parse_output_name(chosen.output), WavDevice | NullDevice) else chosen.output


def _keep_file(name: str, chosen: _Chosen, *, named: bool) -> None:
    """Refuse to write over the file that a session writes.

    Raises:
        UsageError: This would.

    """
    if not isinstance(parse_output_name(name), WavDevice):
        return
    if not named or (chosen.of_session and name == chosen.output):
        raise UsageError(
            f"The session writes {name}; a test would write over it.", hint="Name a speaker to be tested."
        )


async def _recorded(context: CommandContext, name: str, seconds: float, bar: _LevelBar) -> InputRecording:
    microphone = await asyncio.to_thread(DeviceOpener().open_input, name)
    parameters = microphone.parameters
    context.output.message(
        f"recording {seconds:g} s from {described_device(parameters.name, parameters.description)}: speak"
    )

    def work(go_on: Callable[[], None]) -> InputRecording:
        return record(microphone, seconds, MonotonicClock(), bar.show, go_on)

    try:
        return await on_own_thread("blink-test-input", work)
    finally:
        bar.clear()


async def _played_back(context: CommandContext, name: str, recorded: InputRecording) -> OutputTried:
    speaker = await asyncio.to_thread(DeviceOpener().open_output, name, beside=recorded.device.name)
    parameters = speaker.parameters
    parts = recording(recorded.voice, parameters.sample_rate_hz)

    def work(go_on: Callable[[], None]) -> OutputTried:
        return play(speaker, parts, MonotonicClock(), lambda _: None, go_on)

    context.output.message(f"playing it back on {described_device(parameters.name, parameters.description)}")
    return await on_own_thread("blink-test-output", work)


def _not_played(speaker: str, reason: BlinkError) -> Finding:
    return Finding(
        "not_played_back",
        fault=False,
        sentence=f"It was not played back on {speaker}: {reason.message}",
        remedy=reason.hint or "`blink test-output` tries the speaker.",
    )
