"""Recorded speech with known pauses through a whole source track in virtual time, and at a peer that gets its packets."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from blink_cli.audio.devices.sounds import FileSound
from blink_cli.audio.devices.virtual_input import VirtualInput
from blink_cli.audio.samples import Samples
from blink_cli.audio.source_track import SourceTrack
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.media.talking import TalkingChange, TalkingDetector
from blink_cli.lab.spoken_phrases import Spoken, noise, with_pauses
from blink_cli.lab.voices import write_mono
from tests.audio.manual_clock import ManualClock
from tests.audio.parts import PlainEncoder

pytestmark = pytest.mark.no_clock

ONSET_S = 0.06
LATE_ONSET_S = 0.08
END_S = 0.4
PAUSE_S = 1.0
NOISY_DBFS = -55


@dataclass
class Told:
    """When talking was told, in seconds of the sound."""

    starts: list[float] = field(default_factory=list)
    stops: list[float] = field(default_factory=list)

    def take(self, change: TalkingChange, at_s: float) -> None:
        (self.starts if change is TalkingChange.STARTED else self.stops).append(at_s)

    def onsets_s(self, spoken: Spoken) -> list[float]:
        """How long after its beginning each phrase was noticed; 0 if what comes right before it, a click of the lips, was taken for it."""
        told = [*zip(self.starts, self.stops, strict=True)]
        return [
            max(0.0, min(start for start, stop in told if stop > begin) - begin)
            for begin, _ in spoken.phrases
            if any(stop > begin for _, stop in told)
        ]

    def ends_s(self, spoken: Spoken) -> list[float]:
        """How long after its end each phrase was over for good."""
        nexts = [*(begin for begin, _ in spoken.phrases[1:]), float("inf")]
        return [
            max(at for at in self.stops if begin < at < until) - end
            for (begin, end), until in zip(spoken.phrases, nexts, strict=True)
        ]


def listen(path: Path, sound: Samples, *, muted: bool = False) -> tuple[Told, Told]:
    """Capture a sound; return when the microphone's owner was told to talk, by the clock, and when a peer told it by the packets."""
    clock = ManualClock()
    oneself, peer = Told(), Told()
    detector = TalkingDetector()

    def take(frame: EncodedFrame) -> None:
        now_s = clock.now_s() - start_s
        change = detector.update(frame.audio_level_dbov, voice=frame.voice, now_s=now_s)
        if change is not None:
            peer.take(change, now_s)

    start_s = clock.now_s()
    source: SourceTrack[PlainEncoder] = SourceTrack(
        VirtualInput(f"file:{path}", FileSound(write_mono(path, sound))),
        PlainEncoder(),
        take,
        first_timestamp=0,
        on_talking=lambda change, _: oneself.take(change, clock.now_s() - start_s),
        clock=clock,
    )
    if muted:
        source.pause()
    source.start()
    try:
        for _ in range(round(len(sound) / SAMPLE_RATE_HZ) + 1):
            clock.advance(1.0)
    finally:
        clock.release()
        source.stop()
    return oneself, peer


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize(
    ("level_dbfs", "noise_dbfs"), [(-26, -80), (-26, -60), (-12, -60), (-40, -70), (-45, -80), (-26, -50)]
)
def test_each_phrase_is_told_in_time_at_both_ends(
    tmp_path: Path, index: int, level_dbfs: float, noise_dbfs: float
) -> None:
    spoken = with_pauses(index, pause_s=PAUSE_S, level_dbfs=level_dbfs, noise_dbfs=noise_dbfs)
    for told in listen(tmp_path / "speech.wav", spoken.sound):
        assert len(told.stops) == len(told.starts)
        onsets = sorted(told.onsets_s(spoken))
        assert len(onsets) == len(spoken.phrases)
        # Over a noise that is only 24 dB softer, up to two phrases of each voice begin with what is hardly louder than it.
        late = 2 if noise_dbfs > NOISY_DBFS else 0
        assert onsets[-1 - late] <= ONSET_S + 1e-6
        assert onsets[-1] <= (LATE_ONSET_S if late else ONSET_S) + 1e-6
        ends = told.ends_s(spoken)
        assert max(ends) <= END_S
        assert np.median(ends) >= 0.1, "the last syllable is part of it"


@pytest.mark.parametrize("silence_s", [0.0, 1.003, 2.007])
def test_room_noise_is_nobody_from_its_first_sample_on(tmp_path: Path, silence_s: float) -> None:
    silence = np.zeros(round(silence_s * SAMPLE_RATE_HZ), np.float32)
    sound = np.concatenate((silence, noise(60 * SAMPLE_RATE_HZ, -50.0, seed=1)))
    for told in listen(tmp_path / "noise.wav", sound):
        assert told.starts == []


def hum() -> Samples:
    """Of the mains, with what a cheap power supply makes of it."""
    at = np.arange(10 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    sines = [np.sin(2 * np.pi * 50 * harmonic * at + harmonic) / harmonic for harmonic in range(1, 12)]
    return np.asarray(0.0032 * np.sum(sines, axis=0), np.float32)


def keyboard() -> Samples:
    """Of 200 keys, each a click of 10 ms."""
    sound = noise(20 * SAMPLE_RATE_HZ, -60.0, seed=2)
    clicks = noise(200 * 480, -20.0, seed=3).reshape(200, 480) * np.exp(-np.arange(480) / 120)
    for number, click in enumerate(clicks):
        start = 4800 * number + 37 * (number % 50)
        sound[start : start + 480] += click
    return sound


@pytest.mark.parametrize("sound", [hum(), noise(20 * SAMPLE_RATE_HZ, -40.0, seed=4)])
def test_hum_and_loud_fans_are_nobody(tmp_path: Path, sound: Samples) -> None:
    for told in listen(tmp_path / "noise.wav", sound):
        assert told.starts == []


def bursts(*, shape: str) -> Samples:
    """Sixty hisses of a room: hands that clap in it, or paper that rustles."""
    sound = noise(30 * SAMPLE_RATE_HZ, -65.0, seed=5)
    at = np.arange(SAMPLE_RATE_HZ // 4)
    ring = 0.15 * np.exp(-at / (0.02 * SAMPLE_RATE_HZ)) if shape == "clap" else 0.03 * np.hanning(len(at))
    hiss = noise(60 * len(at), 0.0, seed=6).reshape(60, -1)
    if shape == "paper":
        hiss = np.diff(hiss, axis=1, prepend=np.float32(0.0))
    for number, one in enumerate(hiss):
        start = 24_000 * number + 137 * (number % 50)
        sound[start : start + len(at)] += one * ring
    return sound


@pytest.mark.parametrize(
    ("sound", "most"), [(keyboard(), 1), (bursts(shape="clap"), 3), (bursts(shape="paper"), 4)]
)
def test_few_of_the_noises_of_a_room_are_a_voice(tmp_path: Path, sound: Samples, most: int) -> None:
    for told in listen(tmp_path / "noise.wav", sound):
        assert len(told.starts) <= most


def test_talking_is_heard_while_muted_and_the_peers_are_told_nothing(tmp_path: Path) -> None:
    spoken = with_pauses(0, pause_s=PAUSE_S, level_dbfs=-26, noise_dbfs=-70)
    oneself, peer = listen(tmp_path / "speech.wav", spoken.sound, muted=True)
    assert len(oneself.starts) >= len(spoken.phrases)
    assert peer.starts == []
