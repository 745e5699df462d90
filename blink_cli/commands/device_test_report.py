"""What is said of a microphone or a speaker that was tried: the document, and the lines."""

from collections.abc import Sequence
from typing import Final

from blink_cli.api.device_test_documents import (
    ChannelCarried,
    FoundInTest,
    InputTested,
    MeasuredClock,
    OutputTested,
    SpeakerTried,
    ToneHeard,
)
from blink_cli.audio.device_test.findings import Finding
from blink_cli.audio.device_test.levels import CLIP_WINDOW_S, WINDOW_S, ChannelLevels
from blink_cli.audio.device_test.microphone import InputRecording
from blink_cli.audio.device_test.rate_meter import MeasuredRate
from blink_cli.audio.device_test.speaker import (
    TONES_HZ,
    OutputTried,
    channel_name,
)
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.names_shown import counted, milliseconds_text
from blink_cli.core.audio_format import SILENCE_DBOV

NOISE_DBOV: Final = -60.0
"""A channel that is softer carries the noise of its converter."""

TOLD_TO_PPM: Final = 1_000.0
"""A rate that is known less well is not shown: the test was short, or the machine busy."""


def output_document(
    tried: OutputTried, found: Sequence[Finding], wanted: Sequence[int], channels: int, seconds: float
) -> OutputTested:
    """Return what is said of a speaker.

    Args:
        tried: How it took the tones.
        found: What is wrong with it, the worst first.
        wanted: The channels that had a tone, from 1.
        channels: How many it has.
        seconds: How long each tone lasted.

    """
    return OutputTested(
        ok=not any(finding.fault for finding in found),
        verdict=found[0].sentence if found else _played_sentence(tried),
        remedy=found[0].remedy if found else None,
        findings=tuple(_shown(finding) for finding in found),
        tones=tuple(
            ToneHeard(
                channel=one,
                name=channel_name(one, channels),
                frequency_hz=TONES_HZ[(one - 1) % len(TONES_HZ)],
                seconds=seconds,
            )
            for one in wanted
        ),
        speaker=_speaker(tried),
    )


def input_document(
    recorded: InputRecording,
    found: Sequence[Finding],
    played: OutputTried | None,
) -> InputTested:
    """Return what is said of a microphone; findings with the worst first."""
    voice = recorded.voice_levels
    device = recorded.device
    told = [finding for finding in found if finding.fault or finding.code != "not_played_back"]
    return InputTested(
        ok=not any(finding.fault for finding in found),
        verdict=told[0].sentence if told else _right_sentence(recorded),
        remedy=told[0].remedy if told else None,
        findings=tuple(_shown(finding) for finding in found),
        device=device.name,
        place=None if recorded.place is None else recorded.place.name,
        virtual=device.virtual,
        seconds=round(recorded.seconds, 3),
        sample_rate=device.sample_rate_hz,
        clock=_clock(recorded.rate, device.sample_rate_hz),
        peak_dbfs=voice.peak_dbfs,
        rms_dbov=voice.rms_dbov,
        loud_dbov=voice.loud_dbov,
        noise_floor_dbov=voice.floor_dbov,
        loudness_lufs=None if recorded.loudness_lufs is None else round(recorded.loudness_lufs, 1),
        clipped_share=_clipped_share(voice, recorded.seconds),
        zero_share=voice.zero_share,
        channels=tuple(
            _carried(number, levels, recorded.seconds) for number, levels in enumerate(recorded.channels, 1)
        ),
        mixed_from=recorded.mix.channels if recorded.mix is not None else device.channels,
        gaps=recorded.gaps,
        missing_ms=_ms(recorded.missing_s),
        lost_ms=_ms(recorded.lost_s),
        first_sound_ms=_ms(recorded.first_sound_s),
        latency_ms=_ms(recorded.latency_s),
        level_every_ms=1000 * WINDOW_S,
        levels_dbov=recorded.levels_dbov,
        playback=None if played is None else _speaker(played),
    )


def _right_sentence(recorded: InputRecording) -> str:
    voice = recorded.voice_levels
    room = "" if voice.floor_dbov is None else f", {voice.floor_dbov:.0f} between words"
    return f"{recorded.device.name} is right: {voice.loud_dbov:.0f} dBov{room}, no gaps."


def _played_sentence(tried: OutputTried) -> str:
    heard = "" if tried.device.virtual else " Did you hear it?"
    return f"{tried.device.name} took everything in time.{heard}"


def _carried(number: int, levels: ChannelLevels, seconds: float) -> ChannelCarried:
    carries = "sound" if levels.loud_dbov >= NOISE_DBOV else "noise"
    return ChannelCarried(
        channel=number,
        carries="nothing" if levels.zero_share == 1.0 else carries,
        peak_dbfs=levels.peak_dbfs,
        rms_dbov=levels.rms_dbov,
        loud_dbov=levels.loud_dbov,
        noise_floor_dbov=levels.floor_dbov,
        offset=levels.offset,
        clipped_share=_clipped_share(levels, seconds),
        zero_share=levels.zero_share,
    )


def _clipped_share(levels: ChannelLevels, seconds: float) -> float:
    return round(min(1.0, levels.clipped_windows * CLIP_WINDOW_S / max(seconds, CLIP_WINDOW_S)), 4)


def _speaker(tried: OutputTried) -> SpeakerTried:
    device = tried.device
    return SpeakerTried(
        device=device.name,
        place=None if tried.place is None else tried.place.name,
        sample_rate=device.sample_rate_hz,
        channels=device.channels,
        virtual=device.virtual,
        seconds=round(tried.seconds, 3),
        clock=_clock(tried.rate, device.sample_rate_hz),
        underruns_ms=_ms(tried.lost_s),
        unheard_ms=_ms(tried.unheard_s),
        stood_still_ms=_ms(0.0 if tried.rate is None else tried.rate.stood_still_s),
        latency_ms=_ms(tried.latency_s),
    )


def _clock(rate: MeasuredRate | None, nominal_hz: int) -> MeasuredClock | None:
    if rate is None:
        return None
    return MeasuredClock(
        rate_hz=round(rate.rate_hz, 2),
        off_ppm=round(rate.off_ppm(nominal_hz), 1) + 0.0,  # no minus zero
        uncertain_ppm=round(rate.uncertain_ppm(nominal_hz), 1),
    )


def _shown(finding: Finding) -> FoundInTest:
    return FoundInTest(
        code=finding.code, fault=finding.fault, sentence=finding.sentence, remedy=finding.remedy
    )


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)


def tell_input(context: CommandContext, tested: InputTested) -> None:
    """Say it in lines."""
    line = context.output.line
    rate = f"{tested.sample_rate} Hz{_clock_text(tested.clock)}"
    line(f"device   {tested.device}: {rate}, {counted(tested.mixed_from, 'channel')}")
    if tested.place is not None and tested.place != tested.device:
        line(f"         the sound server has it at {tested.place}")
    floor = "-" if tested.noise_floor_dbov is None else f"{tested.noise_floor_dbov:.1f} dBov"
    if tested.peak_dbfs > SILENCE_DBOV:
        line(
            f"level    {tested.loud_dbov:.1f} dBov when loud, {tested.rms_dbov:.1f} on the whole, peak {tested.peak_dbfs:.1f} dBFS, noise {floor}"
            f"{'' if tested.loudness_lufs is None else f', {tested.loudness_lufs:.1f} LUFS'}"
        )
    line(f"clipped  {tested.clipped_share:.1%} of the time")
    line(f"zeros    {tested.zero_share:.1%} of the samples")
    line(
        f"time     {counted(tested.gaps, 'gap')}, {tested.missing_ms:.0f} ms missing, {tested.lost_ms:.0f} ms lost;"
        f" first sound after {milliseconds_text(tested.first_sound_ms)}, {milliseconds_text(tested.latency_ms)} from the microphone"
    )
    if len(tested.channels) > 1:
        for channel in tested.channels:
            line(f"channel  {channel.channel}: {channel.carries}, {channel.loud_dbov:.1f} dBov")
    if tested.playback is not None:
        for text in _speaker_lines(tested.playback):
            line(text)
    _tell_verdict(context, tested)


def tell_output(context: CommandContext, tested: OutputTested) -> None:
    """Say it in lines."""
    for line in _speaker_lines(tested.speaker):
        context.output.line(line)
    _tell_verdict(context, tested)


def _speaker_lines(speaker: SpeakerTried) -> list[str]:
    lines = [
        f"speaker  {speaker.device}: {speaker.sample_rate} Hz{_clock_text(speaker.clock)}, {counted(speaker.channels, 'channel')}"
    ]
    if speaker.place is not None and speaker.place != speaker.device:
        lines.append(f"         the sound server has it at {speaker.place}")
    lines.append(
        f"time     {speaker.underruns_ms:.0f} ms ran dry, {speaker.unheard_ms:.0f} ms not taken;"
        f" {milliseconds_text(speaker.latency_ms)} to the speaker"
    )
    return lines


def _clock_text(clock: MeasuredClock | None) -> str:
    if clock is None or clock.uncertain_ppm > TOLD_TO_PPM:
        return ""
    return f" ({clock.off_ppm:+.0f} ppm ± {clock.uncertain_ppm:.0f} by this machine's clock)"


def _tell_verdict(context: CommandContext, tested: InputTested | OutputTested) -> None:
    for finding in tested.findings:
        context.output.line(f"{'FAULT' if finding.fault else 'note '}    {finding.sentence}")
        context.output.line(f"         {finding.remedy}")
    if not tested.findings:
        context.output.line(f"ok       {tested.verdict}")
