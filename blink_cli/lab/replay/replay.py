"""Plays a logged call again, as it was and with other settings, and compares. Blocks for about a twentieth of the call's length.

NAME.replay.jsonl ──> ReplayedMixer with the logged settings ──> the same samples?  speaker-1.wav, PEER.wav, decisions.jsonl
'───> ReplayedMixer with other settings ───────> figures beside those, the same files
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from blink_cli.audio.playout.concealment_kind import decoder_name
from blink_cli.audio.playout.statistics import PlayoutStatistics
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_MS
from blink_cli.core.errors import BlinkError, StateError, UsageError
from blink_cli.lab.replay.figures import PlayoutFigures, ReplayedPeer, ReplayFigures
from blink_cli.lab.replay.figures import ReplayedSpeaker as SpeakerFigures
from blink_cli.lab.replay.heard_wav import HeardWav
from blink_cli.lab.replay.replayed_mixer import ReplayedMixer, ReplayedTick, ReplayedTrack, settings_from
from blink_cli.record.rtp_log.decision_lines import DecisionLines
from blink_cli.record.rtp_log.line_file import LineFile
from blink_cli.record.rtp_log.replay_lines import (
    End,
    Head,
    Lost,
    ReplayLine,
    SpeakerLine,
    TickLine,
    TrackLine,
)
from blink_cli.record.rtp_log.replay_reader import ReplayReader, replay_path

HEARD: Final = "heard"
"""Folder of what was heard."""

CHANGED: Final = "changed"
"""Folder of what would have been heard with other settings."""

_LAST_OF_DID: Final = 8


class _Files:
    """What one playing writes; nothing without a folder."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.speakers: dict[int, HeardWav] = {}
        self.tracks: dict[int, HeardWav] = {}
        self._lines = DecisionLines()
        self._decisions: LineFile | None = None
        if folder is not None:
            folder.mkdir()
            self._decisions = LineFile(folder / "decisions.jsonl")
            self._decisions.make()

    def take(self, tick: ReplayedTick) -> None:
        if self._folder is None or self._decisions is None:
            return
        self._decisions.write(self._lines.take(tick.decided))
        number = tick.speaker.speaker.number
        if tick.decided.heard_at is not None:
            wav = self.speakers.get(number)
            if wav is None:
                wav = self.speakers[number] = HeardWav(self._folder / f"speaker-{number}.wav")
                speaker = tick.speaker.speaker
                wav.add_silence(speaker.silent_frames * SAMPLE_RATE_HZ // speaker.rate_hz)
            wav.add_silence(tick.gap_samples)
            wav.add(tick.taken)
        for track in tick.tracks:
            self._of(self._folder, track).add(track.block)

    def _of(self, folder: Path, track: ReplayedTrack) -> HeardWav:
        line = track.line
        wav = self.tracks.get(line.number)
        if wav is None:
            name = "".join(letter for letter in line.peer[-_LAST_OF_DID:] if letter.isalnum())
            wav = self.tracks[line.number] = HeardWav(folder / f"{name}-{line.number}.wav")
        return wav

    def close(self) -> None:
        if self._decisions is not None:
            self._decisions.write(self._lines.finish())
            self._decisions.close()
        for wav in (*self.speakers.values(), *self.tracks.values()):
            wav.close()
        if self._decisions is not None and self._decisions.failure is not None:
            raise BlinkError(f"{self._decisions.path} cannot be written: {self._decisions.failure}.")

    @property
    def decisions(self) -> str | None:
        return None if self._decisions is None else str(self._decisions.path)


class _Playing:
    """One playing of a log, and its files."""

    def __init__(self, mixer: ReplayedMixer, folder: Path | None) -> None:
        self.mixer = mixer
        self.files = _Files(folder)

    def take(self, line: ReplayLine) -> bool:
        """Play a line; False when it could not be."""
        match line:
            case TrackLine():
                self.mixer.add_track(line)
            case SpeakerLine():
                self.mixer.add_speaker(line.value)
            case TickLine():
                tick = self.mixer.play(line)
                if tick is None:
                    return False
                self.files.take(tick)
        return True


def replay(
    log: Path,
    changes: Mapping[str, float],
    out: Path | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> ReplayFigures:
    """Play a logged call again.

    Args:
        log: An RTP log with a replay log beside it, or the replay log.
        changes: Settings of the playout, by the names of `PlayoutSettings`, for a second playing; none: there is no second one.
        out: A folder, which is made: for what was heard, what would have been, and the decisions of both.
        progress: Told how far it is, 0 to 1.

    Raises:
        NotFoundError: There is no such log.
        UsageError: It is no replay log, or there is no such setting.
        StateError: The folder exists.
        BlinkError: A file cannot be read or written.

    """
    reader = ReplayReader(replay_path(log), progress)
    lines = iter(reader)
    head = next(lines)
    assert isinstance(head, Head), "the reader yields it first"
    try:
        heard_settings, changed_settings = (
            settings_from(head.settings, {}),
            settings_from(head.settings, changes),
        )
    except TypeError as failure:
        raise UsageError(
            f"The log has settings that this program does not know: {', '.join(head.settings)}.",
            hint="Replay it with the version of blink that wrote it.",
        ) from failure
    if out is not None:
        _make(out)
    try:
        playings = [_Playing(ReplayedMixer(heard_settings, compares=True), out and out / HEARD)]
        if changes:
            changed = ReplayedMixer(changed_settings, compares=False)
            playings.append(_Playing(changed, out and out / CHANGED))
        return _played(reader, lines, head, changes, playings)
    except OSError as failure:
        raise BlinkError(f"{out} cannot be written: {failure.strerror or failure}.") from failure


def _played(
    reader: ReplayReader,
    lines: Iterator[ReplayLine],
    head: Head,
    changes: Mapping[str, float],
    playings: Sequence[_Playing],
) -> ReplayFigures:
    has_end = False
    lost = orphans = 0
    first_s = last_s = None
    with contextlib.ExitStack() as closing:
        for playing in playings:
            closing.callback(playing.files.close)
        for line in lines:
            match line:
                case Lost(ticks=ticks):
                    lost += ticks
                case End():
                    has_end = True
                case TickLine(at_s=at_s):
                    first_s = at_s if first_s is None else first_s
                    last_s = at_s
            played = [playing.take(line) for playing in playings]
            orphans += not all(played)
    heard = playings[0]
    changed = playings[1] if changes else None
    missing = sum(track.ticks_missing for track in heard.mixer.tracks.values())
    peers = tuple(_peer(heard, changed, track) for track in heard.mixer.tracks.values())
    speakers = tuple(
        SpeakerFigures(
            name=one.speaker.name,
            ticks=one.ticks,
            ticks_same=one.ticks_same,
            wav=_path(heard.files.speakers.get(number)),
            changed_wav=None if changed is None else _path(changed.files.speakers.get(number)),
        )
        for number, one in heard.mixer.speakers.items()
    )
    return ReplayFigures(
        path=str(reader.path),
        call=head.call,
        duration_s=0.0 if first_s is None or last_s is None else round(last_s - first_s + TICK_MS / 1000, 6),
        opus=head.opus,
        opus_here=decoder_name(),
        is_same=_same(peers) and _same(speakers),
        is_whole=has_end and not (lost or missing or orphans or reader.lines_unreadable),
        ticks_lost=max(lost, missing),
        lines_unreadable=reader.lines_unreadable + orphans,
        settings=head.settings,
        changed_settings={**head.settings, **changes} if changes else None,
        speakers=speakers,
        peers=peers,
        decisions=heard.files.decisions,
        changed_decisions=None if changed is None else changed.files.decisions,
    )


def _same(parts: Sequence[ReplayedPeer] | Sequence[SpeakerFigures]) -> bool:
    return all(one.ticks == one.ticks_same for one in parts)


def _peer(heard: _Playing, changed: _Playing | None, track: ReplayedTrack) -> ReplayedPeer:
    line = track.line
    return ReplayedPeer(
        peer=line.peer,
        track=line.number,
        from_beginning=line.ticks_before == 0,
        ticks=track.ticks,
        ticks_same=track.ticks_same,
        heard=_figures(track.figures),
        changed=None if changed is None else _figures(changed.mixer.tracks[line.number].figures),
        wav=_path(heard.files.tracks.get(line.number)),
        changed_wav=None if changed is None else _path(changed.files.tracks.get(line.number)),
    )


def _figures(playout: PlayoutStatistics) -> PlayoutFigures:
    total, emitted = playout.total_samples_received, playout.jitter_buffer_emitted_count
    return PlayoutFigures(
        concealed_share=round(playout.concealed_samples / total, 6) if total else None,
        concealed_ms=_ms(playout.concealed_samples),
        concealment_events=playout.concealment_events,
        skipped_ms=_ms(playout.skipped_samples),
        mean_delay_ms=round(1000 * playout.jitter_buffer_delay_s / emitted, 3) if emitted else None,
        mean_target_ms=round(1000 * playout.jitter_buffer_target_delay_s / emitted, 3) if emitted else None,
        shortened_ms=_ms(playout.removed_samples_for_acceleration),
        lengthened_ms=_ms(playout.inserted_samples_for_deceleration),
        packets_received=playout.packets_received,
        packets_discarded=playout.packets_discarded,
        recovered=playout.packets_recovered,
    )


def _ms(samples: int) -> float:
    return round(1000 * samples / SAMPLE_RATE_HZ, 3)


def _path(wav: HeardWav | None) -> str | None:
    return None if wav is None else str(wav.path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError as failure:
        raise StateError(f"{folder} exists.", hint="Name another folder with --out.") from failure
    except OSError as failure:
        raise BlinkError(f"{folder} cannot be made: {failure.strerror or failure}.") from failure
