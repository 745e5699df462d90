"""The judge is judged: who speaks is heard, who does not is not."""

import numpy as np
import pytest

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.envelopes import Samples, correlation, envelope, hear
from blink_cli.lab.voices import loop_slice, turn, voice

pytestmark = pytest.mark.no_clock

DURATION_S = 10.0
LEAD_S = 0.5
DELAYS_S = {"alice": 0.085, "bob": 0.13}
SEED = 3


def spoken(*, in_turns: bool) -> dict[str, Samples]:
    wanted_s = DURATION_S + LEAD_S
    if not in_turns:
        return {name: voice(index, wanted_s) for index, name in enumerate(DELAYS_S)}
    # The second speaker's process began 0.7 s later: the turns overlap by as much.
    return {n: loop_slice(turn(i, 3, 3.0), 20.0 + 0.7 * i, wanted_s) for i, n in enumerate(DELAYS_S)}


def mixed(said: dict[str, Samples], names: set[str], gain: float = 1.0) -> Samples:
    count = round(DURATION_S * SAMPLE_RATE_HZ)
    heard = np.random.default_rng(SEED).normal(0, 1e-4, count).astype(np.float32)
    for name in names:
        first = round((LEAD_S - DELAYS_S[name]) * SAMPLE_RATE_HZ)
        heard += gain * said[name][first : first + count]
    return heard


@pytest.mark.parametrize("in_turns", [True, False])
@pytest.mark.parametrize("present", [{"alice", "bob"}, {"alice"}, {"bob"}, set()], ids=sorted)
def test_exactly_those_who_speak_are_heard(present: set[str], *, in_turns: bool) -> None:
    said = spoken(in_turns=in_turns)
    result = hear(mixed(said, present), said, max_delay_s=LEAD_S)
    for name, heard in result.items():
        if name in present:
            assert heard.correlation > 0.95, result
            assert heard.delay_s == pytest.approx(DELAYS_S[name], abs=0.006), result
            assert heard.gain == pytest.approx(1.0, abs=0.05), result
        else:
            assert heard.correlation < 0.4, result
            assert heard.gain < 0.1, result


def test_a_quiet_speaker_is_heard_with_its_gain() -> None:
    said = spoken(in_turns=True)
    result = hear(mixed(said, {"alice"}, gain=0.25), said, max_delay_s=LEAD_S)
    assert result["alice"].correlation > 0.95
    assert result["alice"].gain == pytest.approx(0.25, abs=0.02)


def test_a_delay_that_shrinks_while_they_talk_is_followed() -> None:
    said = spoken(in_turns=True)
    late = mixed(said, {"alice", "bob"})
    with_less = {name: np.roll(samples, -round(0.06 * SAMPLE_RATE_HZ)) for name, samples in said.items()}
    early = mixed(with_less, {"alice", "bob"})
    half = 4 * SAMPLE_RATE_HZ
    result = hear(np.concatenate((late[:half], early[half:])), said, max_delay_s=LEAD_S)
    assert all(heard.correlation > 0.95 for heard in result.values()), result


def test_the_words_of_another_place_do_not_count() -> None:
    said = {"alice": voice(0, DURATION_S + LEAD_S)}
    elsewhere = {"alice": np.roll(said["alice"], 3 * SAMPLE_RATE_HZ)}
    assert hear(mixed(elsewhere, {"alice"}), said, max_delay_s=LEAD_S)["alice"].correlation < 0.5


def test_envelopes_count_whole_frames_and_silence_agrees_with_nobody() -> None:
    tone = np.full(2000, 0.5, np.float32)
    assert envelope(tone).tolist() == [0.5, 0.5]
    assert correlation(envelope(tone), np.array([1.0, 2.0])) == 0.0
