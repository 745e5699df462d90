"""Where a stream of the sound server is, what it is plugged into there, and that a change is noticed while it runs."""

import ctypes
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blink_cli.audio.devices import libpulse as pa
from blink_cli.audio.devices import pulse_connection
from blink_cli.audio.devices.interface import DevicePlace, DevicePort
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.devices.pulse_connection import described
from blink_cli.audio.devices.pulse_place import PlaceWatch
from tests.support.sound_server import SoundServer, sound_system

HEADPHONES = 3
"""`PA_DEVICE_PORT_TYPE_HEADPHONES`."""


def sink(
    port: pa.PortInfo | None, name: bytes = b"alsa_output.pci-0000_00_1f.3.analog-stereo"
) -> pa.SinkInfo:
    info = pa.SinkInfo(name=name, description=b"Built-in Audio Analog Stereo")
    if port is not None:
        info.active_port = ctypes.pointer(port)
    return info


def jack(port_type: int = HEADPHONES) -> pa.PortInfo:
    """As `pactl list sinks` shows it on a laptop."""
    return pa.PortInfo(
        name=b"analog-output-headphones", description=b"Headphones", priority=9900, type=port_type
    )


class Library:
    """What `PlaceWatch` and `described` use of libpulse, and what it was asked."""

    def __init__(self, version: bytes = b"16.1.0") -> None:
        self.version = version
        self.changed: Any = None
        self.questions: list[Any] = []
        self.names: list[bytes] = []

    def pa_get_library_version(self) -> bytes:
        return self.version

    def pa_context_set_subscribe_callback(self, _context: Any, callback: Any, _data: Any) -> None:
        self.changed = callback

    def pa_context_subscribe(self, *_: Any) -> None:
        return None

    def pa_context_get_sink_info_by_name(self, _context: Any, name: bytes, callback: Any, _data: Any) -> None:
        self.names.append(name)
        self.questions.append(callback)

    pa_context_get_source_info_by_name = pa_context_get_sink_info_by_name

    def answer(self, info: pa.SinkInfo | None) -> None:
        """As the server does: what there is, and then the end."""
        callback = self.questions.pop(0)
        if info is not None:
            callback(None, ctypes.pointer(info), 0, None)
        callback(None, None, 1 if info is not None else -1, None)


class Connection:
    context = None

    def ask(self, question: Callable[..., Any], *arguments: Any) -> None:
        question(self.context, *arguments, None)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    one = Library()
    for module in ("pulse_connection", "pulse_place"):
        monkeypatch.setattr(f"blink_cli.audio.devices.{module}.libpulse", lambda: one)
    pulse_connection._ports_have_kinds.cache_clear()
    return one


@pytest.fixture(autouse=True)
def _forget_the_version() -> Any:
    yield
    pulse_connection._ports_have_kinds.cache_clear()


@pytest.mark.no_clock
@pytest.mark.parametrize(
    ("version", "port_type", "kind"),
    [
        (b"16.1.0", 3, "headphones"),
        (b"14.0", 2, "speaker"),
        (b"16.1.0", 0, None),
        (b"17.0", 99, None),
        (b"13.99.1", 3, None),
    ],
)
def test_the_port_is_read_as_far_as_the_library_tells_it(
    library: Library, version: bytes, port_type: int, kind: str | None
) -> None:
    library.version = version
    port, form_factor = described(sink(jack(port_type)))
    assert port == DevicePort("analog-output-headphones", "Headphones", kind)
    assert form_factor is None
    assert described(sink(None)) == (None, None)


@pytest.mark.no_clock
def test_a_change_is_asked_for_once_however_often_it_is_told(library: Library) -> None:
    told: list[DevicePlace] = []
    watch = PlaceWatch(Connection(), "output", lambda: "laptop", told.append)  # type: ignore[arg-type]
    watch.look()
    library.answer(sink(None))
    for _ in range(100):
        library.changed(None, pa.EVENT_CHANGED, 7, None)
    assert len(library.questions) == 1, "a volume that is being turned is no storm of questions"
    library.answer(sink(jack()))
    assert len(library.questions) == 1, "what changed while it was answered is asked for"
    library.answer(sink(jack()))
    assert library.questions == []
    assert [place.port and place.port.kind for place in told] == [None, "headphones", "headphones"]
    assert set(library.names) == {b"laptop"}


@pytest.mark.no_clock
def test_a_device_that_has_gone_meanwhile_tells_nothing_and_is_asked_for_again(library: Library) -> None:
    told: list[DevicePlace] = []
    watch = PlaceWatch(Connection(), "input", lambda: "gone", told.append)  # type: ignore[arg-type]
    watch.look()
    library.answer(None)
    assert (told, watch.answers) == ([], 1)
    library.changed(None, 0x0020, 7, None)
    assert library.questions == [], "what was removed is not asked for: the stream is moved, or ends"
    watch.look()
    assert len(library.questions) == 1


@pytest.mark.sound
def test_what_a_running_speaker_is_changes_with_its_properties(tmp_path: Path) -> None:
    with SoundServer("cans", "desk") as server, sound_system(server):
        command = tmp_path / "cli"
        server.control("load-module", "module-cli-protocol-unix", f"socket={command}")
        speaker = DeviceOpener().open_output("cans")
        speaker.start(time.monotonic())
        try:
            assert speaker.reading(0.0).place == DevicePlace("cans", speaker.parameters.description)
            with socket.socket(socket.AF_UNIX) as pacmd:
                pacmd.connect(str(command))
                pacmd.sendall(b"update-sink-proplist cans device.form_factor=headset\n")
                eventually(lambda: speaker.reading(0.0).place, lambda place: place.form_factor == "headset")
            (stream,) = server.control("list", "short", "sink-inputs").splitlines()
            server.control("move-sink-input", stream.split("\t")[0], "desk")
            eventually(lambda: speaker.reading(0.0).place, lambda place: place.name == "desk")
            assert speaker.reading(0.0).place == DevicePlace("desk", speaker.parameters.description)
        finally:
            speaker.stop()


def eventually(value: Callable[[], Any], condition: Callable[[Any], bool]) -> None:
    deadline_s = time.monotonic() + 5
    while not condition(now := value()):
        assert time.monotonic() < deadline_s, now
        time.sleep(0.01)
