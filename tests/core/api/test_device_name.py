import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.api.device_name import (
    DefaultDevice,
    FileDevice,
    InputName,
    NamedDevice,
    NullDevice,
    OutputName,
    SilenceDevice,
    ToneDevice,
    WavDevice,
    choose_device,
    parse_input_name,
    parse_output_name,
)
from blink_cli.core.errors import NotFoundError, UsageError

INPUTS: list[tuple[str, InputName]] = [
    ("default", DefaultDevice()),
    (" default ", DefaultDevice()),
    ("USB Headset: Audio (hw:1,0)", NamedDevice("USB Headset: Audio (hw:1,0)")),
    ("file:voice.wav", FileDevice("voice.wav")),
    ("file:/a b/voice.flac?loop=1", FileDevice("/a b/voice.flac", loop=True)),
    ("file:voice.wav?loop=0&ppm=-150.5", FileDevice("voice.wav", drift_ppm=-150.5)),
    ("file:voice.wav?ppm=100&loop=1", FileDevice("voice.wav", loop=True, drift_ppm=100.0)),
    ("file:what?.wav", FileDevice("what?.wav")),
    ("file:what?.wav?loop=1", FileDevice("what?.wav", loop=True)),
    ("default?channel=2", DefaultDevice(2)),
    ("Mixer 18i20?channel=18", NamedDevice("Mixer 18i20", 18)),
    ("is it on?really=1", NamedDevice("is it on?really=1")),
    ("file:band.wav?channel=3&loop=1", FileDevice("band.wav", loop=True, channel=3)),
    ("tone:440", ToneDevice(440.0)),
    ("file:voice.wav?phase=0", FileDevice("voice.wav", phase_ms=0.0)),
    ("file:voice.wav?phase=19.999&ppm=3", FileDevice("voice.wav", drift_ppm=3.0, phase_ms=19.999)),
    ("tone:997.5?ppm=20", ToneDevice(997.5, 20.0)),
    ("tone:440?phase=2.5", ToneDevice(440.0, phase_ms=2.5)),
    ("silence?phase=7", SilenceDevice(phase_ms=7.0)),
    ("silence", SilenceDevice()),
    ("silence?ppm=5", SilenceDevice(5.0)),
]
OUTPUTS: list[tuple[str, OutputName]] = [
    ("default", DefaultDevice()),
    ("Speakers", NamedDevice("Speakers")),
    ("null", NullDevice()),
    ("null?ppm=-5", NullDevice(-5.0)),
    ("null?phase=3", NullDevice(phase_ms=3.0)),
    ("wav:out.wav?phase=0", WavDevice("out.wav", phase_ms=0.0)),
    ("wav:out.wav", WavDevice("out.wav")),
    ("wav:C:\\sound\\out.wav?ppm=7", WavDevice("C:\\sound\\out.wav", 7.0)),
]


@pytest.mark.parametrize(("text", "name"), INPUTS)
def test_input_names(text: str, name: InputName) -> None:
    assert parse_input_name(text) == name
    assert parse_input_name(str(name)) == name


@pytest.mark.parametrize(("text", "name"), OUTPUTS)
def test_output_names(text: str, name: OutputName) -> None:
    assert parse_output_name(text) == name
    assert parse_output_name(str(name)) == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "missing"),
        ("file:", "lacks its path"),
        ("file", "needs a path"),
        ("tone", "needs its frequency"),
        ("tone:", "lacks its frequency"),
        ("tone:loud", "cannot have the frequency"),
        ("tone:nan", "cannot have the frequency"),
        ("tone:96000", "cannot have the frequency"),
        ("tone:440?loop=1", "no option 'loop'"),
        ("file:a.wav?loop=yes", "loop is 0 or 1"),
        ("file:a.wav?ppm=inf", "not a number"),
        ("file:a.wav?channel=0", "not a channel"),
        ("default?channel=left", "not a channel"),
        ("Headset?channel=-1", "not a channel"),
        ("tone:440?channel=1", "no option 'channel'"),
        ("silence?ppm=99999", "not a number"),
        ("silence?phase=20", "The phase"),
        ("null?phase=-1", "The phase"),
        ("file:a.wav?phase=nan", "The phase"),
        ("silence?volume=3", "no option"),
        ("wav:out.wav", "cannot be the microphone"),
        ("null", "cannot be the microphone"),
    ],
)
def test_input_errors_say_what_is_wrong_and_what_to_try(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        parse_input_name(text)
    assert caught.value.hint


@pytest.mark.parametrize("text", ["default?channel=1", "Speakers?channel=2"])
def test_a_channel_is_chosen_of_inputs_only(text: str) -> None:
    with pytest.raises(UsageError, match="input only"):
        parse_output_name(text)


@pytest.mark.parametrize("text", ["file:a.wav", "tone:440", "silence"])
def test_inputs_are_refused_as_outputs(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be the speaker") as caught:
        parse_output_name(text)
    assert caught.value.hint


@given(st.text())
def test_any_text_is_a_name_or_a_usage_error(text: str) -> None:
    for parse in (parse_input_name, parse_output_name):
        try:
            name = parse(text)
        except UsageError:
            continue
        assert parse(str(name)) == name


NAMES = ["USB Headset", "USB Headset Pro", "Built-in Audio", "HDMI 0", "hdmi 1"]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("USB Headset", "USB Headset"),
        ("usb headset", "USB Headset"),
        ("Pro", "USB Headset Pro"),
        ("built", "Built-in Audio"),
    ],
)
def test_a_device_is_chosen_by_its_name_or_a_part_of_it(wanted: str, name: str) -> None:
    assert choose_device(wanted, NAMES, "file") == name


def test_a_part_that_fits_several_is_refused_and_names_them() -> None:
    with pytest.raises(NotFoundError, match="fits 2 audio devices: HDMI 0, hdmi 1"):
        choose_device("hdmi", NAMES, "file")


def test_a_name_that_fits_none_is_refused_and_lists_what_there_is() -> None:
    with pytest.raises(NotFoundError, match="no audio device 'Bluetooth'") as caught:
        choose_device("Bluetooth", NAMES, "file")
    assert caught.value.hint is not None
    assert "Built-in Audio" in caught.value.hint
    assert "file:" not in caught.value.hint


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("speech.wav", "file"),
        ("calls/Anna 2.FLAC", "file"),
        ("/tmp/raw", "file"),
        ("heard.wav", "wav"),
        ("talk.wav?loop=1", "file"),
    ],
)
def test_the_name_of_a_file_is_no_device_and_the_hint_says_how_it_is_written(text: str, kind: str) -> None:
    with pytest.raises(NotFoundError, match="no audio device") as caught:
        choose_device(text, NAMES, kind)
    assert caught.value.hint is not None
    assert f"`{kind}:{text}`" in caught.value.hint


@pytest.mark.parametrize("text", ["file:/tmp/\0x", "wav:\0", "a\0b"])
def test_a_name_with_a_nul_byte_is_refused(text: str) -> None:
    for parse in (parse_input_name, parse_output_name):
        with pytest.raises(UsageError):
            parse(text)
