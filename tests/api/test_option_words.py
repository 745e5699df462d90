"""Codec options as they are typed, and as a program gives them: all pass the same check."""

import msgspec
import pytest

from blink_cli.api.option_words import checked_codec
from blink_cli.core.api.session_options import CodecOptions
from blink_cli.core.errors import UsageError

pytestmark = pytest.mark.no_clock

_POSSIBLE = CodecOptions(
    bitrate=24_000,
    frame_ms=40,
    bandwidth="wide",
    application="audio",
    fec="off",
    dtx=False,
    cbr=True,
    redundancy="2",
    redundancy_budget=110,
    complexity=5,
    stereo=True,
)


def test_each_codec_option_passes_the_check() -> None:
    said = msgspec.structs.asdict(_POSSIBLE)
    assert None not in said.values(), "an option that this test does not try"
    for name, value in said.items():
        options = CodecOptions(**{name: value})
        assert checked_codec(options) == options
    assert checked_codec(_POSSIBLE) == _POSSIBLE


@pytest.mark.parametrize("budget_kbps", [-1, 5_001])
def test_a_redundancy_budget_that_cannot_be_is_told(budget_kbps: int) -> None:
    with pytest.raises(UsageError, match=str(budget_kbps)) as raised:
        checked_codec(CodecOptions(redundancy_budget=budget_kbps))
    assert "5000" in (raised.value.hint or "")
