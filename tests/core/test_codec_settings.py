"""Settings of the codec: what is possible, and what the user reads otherwise."""

import pytest

from blink_cli.core.codec_settings import CodecSettings
from blink_cli.core.errors import UsageError


def test_the_defaults_are_a_good_voice() -> None:
    settings = CodecSettings()
    assert (settings.bitrate_bps, settings.frame_ms, settings.fec, settings.redundancy) == (
        32_000,
        20,
        True,
        "auto",
    )


@pytest.mark.parametrize(("frame_ms", "samples"), [(10, 480), (20, 960), (40, 1920), (60, 2880)])
def test_frame_lengths_in_samples(frame_ms: int, samples: int) -> None:
    assert CodecSettings(frame_ms=frame_ms).frame_samples == samples


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("bitrate_bps", 5_999, "5999"),
        ("bitrate_bps", 510_001, "510001"),
        ("frame_ms", 30, "30 ms"),
        ("bandwidth", "huge", "huge"),
        ("application", "game", "game"),
        ("redundancy", "3", "3"),
        ("complexity", 11, "11"),
    ],
)
def test_what_is_not_possible_is_said_with_a_hint(field: str, value: object, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        CodecSettings(**{field: value})  # type: ignore[arg-type]  # what a settings file may hold
    assert said in caught.value.message
    assert caught.value.hint
