"""The playout thread's work, done again from what it noted: the same buffers, mixer and fades, fed with the logged packets at the logged ticks.

TickLine ──> packets into each track's inbox, its gain ──> Mixer.mix(at_s) ──> fades ──> block ──> compared, written
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

from blink_cli.audio.fade import faded
from blink_cli.audio.mixer import Mixer
from blink_cli.audio.playout.concealment import DeepBudget, voice_decoder
from blink_cli.audio.playout.playout_buffer import PlayoutBuffer
from blink_cli.audio.playout.settings import PlayoutSettings
from blink_cli.audio.playout.statistics import PlayoutStatistics
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK, checksum
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.audio.tick_notes import TickNotes
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.media.mix_tick import MixTick, Speaker
from blink_cli.record.rtp_log.replay_lines import TickLine, TrackLine

GAP_S: Final = 0.1
"""A device that is so far ahead of where its last block ended has played silence meanwhile."""

LONGEST_GAP_S: Final = 3_600.0
"""What is longer is damage in the log, and would fill the disk."""

MOST_TRACKS: Final = 1_000
"""Of one log, each with a decoder."""


class ReplayedTrack(SinkTrack):
    """A sink track whose gain is what was logged."""

    def __init__(self, line: TrackLine, settings: PlayoutSettings, budget: DeepBudget) -> None:
        """Begin as the logged one stood at its first tick in the log; its buffer is empty."""
        self.line = line
        self.logged_gain = line.gain
        self.buffer: Final = PlayoutBuffer(voice_decoder(budget), (line.opus, line.red), settings)
        super().__init__(self.buffer, played=line.value)
        self.applied_gain = line.gain
        self.ticks_before = line.ticks_before
        self.ticks_missing = 0
        """That the log has lost."""

        self.ticks = 0
        self.ticks_same = 0
        self.block: Samples = SILENT_BLOCK
        """What it decoded at its last tick."""

    @property
    @override
    def wanted_gain(self) -> float:
        """What was applied then."""
        return self.logged_gain

    @override
    def next_block(self, now_s: float) -> Samples:
        """Return the next block, and keep it."""
        self.block = super().next_block(now_s)
        return self.block

    @property
    def figures(self) -> PlayoutStatistics:
        """How it was played so far."""
        return self.buffer.statistics()


@dataclass(slots=True)
class ReplayedSpeaker:
    """What one device was given."""

    speaker: Speaker
    ticks: int = 0
    ticks_same: int = 0
    ends_at: float = field(init=False)
    """When what it has would be played to its end."""

    def __post_init__(self) -> None:
        self.ends_at = self.speaker.taken_at + self.speaker.silent_frames / self.speaker.rate_hz

    def gap_samples(self, heard_at: float) -> int:
        """Return how many samples of silence it played before a block that is heard at this time."""
        gap_s = heard_at - self.ends_at
        return round(gap_s * SAMPLE_RATE_HZ) if GAP_S < gap_s < LONGEST_GAP_S else 0


@dataclass(frozen=True, slots=True)
class ReplayedTick:
    """What came of one tick."""

    block: Samples
    """What the speaker was offered, shape (480,)."""

    taken: Samples
    """What it took of that."""

    gap_samples: int
    """Silence that it played before."""

    speaker: ReplayedSpeaker
    tracks: tuple[ReplayedTrack, ...]
    decided: MixTick
    """As the session would have noted it."""


class ReplayedMixer:
    """One playing of a logged call."""

    def __init__(self, settings: PlayoutSettings, *, compares: bool) -> None:
        """Play with these settings; `compares`: count what is the same as was heard."""
        self._settings = settings
        self._compares = compares
        self._mixer = Mixer()
        self.tracks: dict[int, ReplayedTrack] = {}
        self.speakers: dict[int, ReplayedSpeaker] = {}

    def add_track(self, line: TrackLine) -> None:
        """Have another stream."""
        if len(self.tracks) < MOST_TRACKS:
            self.tracks[line.number] = ReplayedTrack(line, self._settings, self._mixer.deep_budget)

    def add_speaker(self, speaker: Speaker) -> None:
        """Have another device."""
        self.speakers[speaker.number] = ReplayedSpeaker(speaker)

    def play(self, line: TickLine) -> ReplayedTick | None:
        """Do what was done at a tick; None when the log has lost whom it is about."""
        tracks = tuple(self.tracks[part.track] for part in line.tracks if part.track in self.tracks)
        speaker = self.speakers.get(line.speaker)
        if len(tracks) < len(line.tracks) or speaker is None:
            return None
        for track, part in zip(tracks, line.tracks, strict=True):
            track.logged_gain = part.gain
            for packet in part.packets:
                track.receive(packet)
        self._mixer.deafened = line.gain == 0.0
        notes = TickNotes(
            tracks,
            self._mixer.applied_gain,
            speaker.speaker,
            line.at_s,
            late_s=line.late_s,
            is_silence=line.silence,
        )
        notes.heard_at, notes.fades_in, notes.fades_out = line.heard_at, line.fades_in, line.fades_out
        block = SILENT_BLOCK if line.silence else self._mixer.mix(tracks, line.at_s)
        block = faded(block, fades_in=line.fades_in, fades_out=line.fades_out)
        decided = notes.tick(block, self._mixer.applied_gain, line.written, line.frames)
        if self._compares:
            self._compare(line, tracks, speaker, decided)
        gap = 0
        taken = block[:0]
        if line.heard_at is not None:
            gap = speaker.gap_samples(line.heard_at)
            taken = block[: TICK_SAMPLES * line.written // line.frames] if line.frames else block[:0]
            speaker.ends_at = max(speaker.ends_at, line.heard_at) + line.written / speaker.speaker.rate_hz
        return ReplayedTick(block, taken, gap, speaker, tracks, decided)

    def _compare(
        self,
        line: TickLine,
        tracks: tuple[ReplayedTrack, ...],
        speaker: ReplayedSpeaker,
        decided: MixTick,
    ) -> None:
        for track, part in zip(tracks, line.tracks, strict=True):
            track.ticks += 1
            track.ticks_same += checksum(track.block) == part.sum
            track.ticks_missing += part.n - track.ticks_before
            track.ticks_before = part.n + 1
        if line.heard_at is not None:
            speaker.ticks += 1
            speaker.ticks_same += decided.checksum == line.sum


def settings_from(logged: Mapping[str, float], changes: Mapping[str, float]) -> PlayoutSettings:
    """Return the settings of a log, some of them changed."""
    return PlayoutSettings(**{**logged, **changes})
