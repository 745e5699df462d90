"""Settings of the codec: what is possible, and what the user reads otherwise."""

import pytest

from blink_cli.core.errors import UsageError
from blink_cli.core.media.codec_settings import CodecSettings


def test_the_defaults_are_a_good_voice() -> None:
    settings = CodecSettings()
    assert (settings.bitrate_bps, settings.frame_ms, settings.fec, settings.redundancy) == (
        32_000,
        20,
        "auto",
        "auto",
    )


def test_what_shows_silence_does_not_go_with_what_hides_it() -> None:
    with pytest.raises(UsageError, match="constant bit rate"):
        CodecSettings(cbr=True, dtx=True)


@pytest.mark.parametrize(
    ("frame_ms", "samples"), [(2.5, 120), (5, 240), (10, 480), (20, 960), (40, 1920), (60, 2880)]
)
def test_frame_lengths_in_samples(frame_ms: float, samples: int) -> None:
    assert CodecSettings(frame_ms=frame_ms).frame_samples == samples


@pytest.mark.parametrize(
    ("settings", "possible"),
    [
        (CodecSettings(), True),
        (CodecSettings(frame_ms=10), True),
        (CodecSettings(frame_ms=5), False),
        (CodecSettings(frame_ms=2.5), False),
        (CodecSettings(application="lowdelay"), False),
    ],
)
def test_fec_is_a_part_of_the_speech_mode(settings: CodecSettings, possible: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert settings.fec_possible == possible


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("bitrate_bps", 5_999, "5999"),
        ("bitrate_bps", 510_001, "510001"),
        ("frame_ms", 30, "30 ms"),
        ("bandwidth", "huge", "huge"),
        ("application", "game", "game"),
        ("redundancy", "5", "5"),
        ("redundancy_budget_kbps", 5_001, "5001"),
        ("complexity", 11, "11"),
        ("fec", "maybe", "maybe"),
    ],
)
def test_what_is_not_possible_is_said_with_a_hint(field: str, value: object, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        CodecSettings(**{field: value})  # type: ignore[arg-type]  # what a settings file may hold
    assert said in caught.value.message
    assert caught.value.hint
