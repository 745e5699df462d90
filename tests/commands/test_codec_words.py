"""`codec set` and `codec show`: what may be written, and what is said."""

import pytest

from blink_cli.commands.codec_commands import set_sentence
from blink_cli.commands.codec_words import chosen_text, codec_lines, offers, read_changes
from blink_cli.commands.shell_completion import complete_codec
from blink_cli.core.api.replies.codec import CodecChosen, CodecInUse, CodecNow, CodecSet
from blink_cli.core.api.session_options import CodecOptions
from blink_cli.core.errors import UsageError

pytestmark = pytest.mark.no_clock

CHOSEN = CodecChosen(
    bitrate=48_000, frame_ms=2.5, bandwidth="auto", application="voip", fec="on",
    dtx=False, cbr=False, redundancy="auto", redundancy_budget=0, complexity=10, stereo=True,
)  # fmt: skip
NOW = CodecNow(
    frame_ms=2.5, mode="sound", bandwidth="full", channels=2, bitrate=47_600, fec_loss_percent=None
)


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        (["bitrate=48000"], CodecOptions(bitrate=48_000)),
        (["bitrate=48k", "frame-ms=10"], CodecOptions(bitrate=48_000, frame_ms=10)),
        (["FRAME_MS=2.5ms"], CodecOptions(frame_ms=2.5)),
        (["fec=on", "dtx=off", "cbr=on"], CodecOptions(fec="on", dtx=False, cbr=True)),
        (["redundancy-budget=110"], CodecOptions(redundancy_budget=110)),
        (["redundancy=2", "complexity=0"], CodecOptions(redundancy="2", complexity=0)),
        (["channels=2"], CodecOptions(stereo=True)),
        (["stereo=on", "channels=1"], CodecOptions(stereo=False)),
        (["bandwidth=wide", "application=lowdelay"], CodecOptions(bandwidth="wide", application="lowdelay")),
    ],
)
def test_settings_are_read(words: list[str], changes: CodecOptions) -> None:
    assert read_changes(words) == (changes, ())


def test_a_default_is_asked_for_by_name() -> None:
    changes, back = read_changes(["bitrate=default", "channels=default", "dtx=on", "fec=on", "fec=default"])
    assert (changes, back) == (CodecOptions(dtx=True), ("bitrate", "fec", "stereo"))


@pytest.mark.parametrize(
    ("word", "said", "hint"),
    [
        ("bitrate=5000", "bitrate=5000", "6000 to 510000"),
        ("bitrate=much", "bitrate=much", "6000 to 510000"),
        ("bitrate=nan", "bitrate=nan", "6000 to 510000"),
        ("frame-ms=30", "frame-ms=30", "2.5, 5, 10, 20, 40, 60"),
        ("fec=maybe", "fec=maybe", "auto, on, off"),
        ("redundancy=5", "redundancy=5", "auto, 0, 1, 2, 3, 4"),
        ("complexity=11", "complexity=11", "0 to 10"),
        ("redundancy-budget=-1", "redundancy-budget=-1", "0 to 5000"),
        ("stereo=2", "stereo=2", "on, off"),
        ("channels=3", "channels=3", "1, 2"),
        ("speed=1", "'speed' is no setting", "bitrate, frame-ms"),
        ("bitrate", "'bitrate' says no value", "bitrate=VALUE"),
        ("", "'' is no setting", "bitrate"),
    ],
)
def test_what_is_not_possible_is_refused_with_the_range(word: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as refusal:
        read_changes([word])
    assert said in refusal.value.message
    assert hint in (refusal.value.hint or "")


def test_keys_and_values_are_completed() -> None:
    assert [word for word, about in offers("fr") if about] == [word for word, _ in offers("")]
    assert complete_codec("fr") == ["frame-ms="]
    assert complete_codec("frame-ms=2") == ["frame-ms=2.5", "frame-ms=20"]
    assert complete_codec("fec=") == ["fec=auto", "fec=on", "fec=off", "fec=default"]
    assert complete_codec("speed=") == []
    for key in complete_codec(""):
        for offered in complete_codec(key):
            read_changes([offered])  # what is offered is possible


def test_what_is_said() -> None:
    codec = CodecInUse(chosen=CHOSEN, now=NOW, for_this_call=("frame_ms",), remarks=("400 packets",))
    assert chosen_text(codec) == "48 kb/s, 2.5 ms, stereo, now sound, full band, 47.6 kb/s"
    lines = codec_lines(codec)
    assert "frame-ms           2.5  (for this call)" in lines
    assert "bitrate            48000" in lines
    assert lines[-1] == "400 packets"
    full = CodecSet(codec=codec, not_remembered="No space left on device")
    assert set_sentence(full, ["BITRATE"]) == (
        "bitrate=48000, but the next session will not know it: No space left on device\n400 packets"
    )
    assert set_sentence(CodecSet(codec=codec), ["frame-ms", "channels"]).startswith(
        "frame-ms=2.5 stereo=on, for this call\n"
    )
