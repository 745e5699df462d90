"""A connection to the sound server (PulseAudio, or PipeWire's PulseAudio server), and what it says of its devices.

A connection belongs to one thread. Whatever the server does (stands still, dies, never answers), each call here returns in the time
that it was given: the library only sends and receives when `turn` lets it, and `turn` waits as long as it is told.
"""

import functools
import re
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from blink_cli.audio.devices import libpulse as pa
from blink_cli.audio.devices.interface import DevicePlace, DevicePort
from blink_cli.audio.devices.libpulse import libpulse
from blink_cli.audio.devices.system_device import SystemDeviceInfo
from blink_cli.core.errors import DeviceError

ANSWER_S: Final = 2.5
"""A sound server that has not answered by then hangs: ordinary ones take 5 ms, and 0.2 s while they start."""

CLIENT_NAME: Final = b"blink"


class NoSoundServerError(DeviceError):
    """There is no sound server to talk to."""


class SoundServerHangsError(DeviceError):
    """There is one, and it does not answer."""


class ServerDevice(msgspec.Struct, frozen=True):
    """A sink or a source, with what a stream on it needs."""

    info: SystemDeviceInfo
    channel_map: pa.ChannelMap
    muted: bool = False
    volume: float = 1.0
    """Of its loudest channel; 1.0 is as loud as the device gives it, 0.0 nothing."""

    sample_format: int = pa.NO_FORMAT
    """`pa_sample_format`, of what it really runs at."""

    configured_latency_us: int = 0
    """0 while it does not run."""

    port: DevicePort | None = None
    """What it is plugged into at the moment."""

    form_factor: str | None = None
    """PulseAudio's word for what it is."""

    @property
    def place(self) -> DevicePlace:
        """Where a stream on it is."""
        return DevicePlace(self.info.name, self.info.description, self.port, self.form_factor)


class PulseConnection:
    """From `__enter__` to `__exit__`; made, used and left on one thread, except for `wake`."""

    def __init__(self, *, answer_s: float = ANSWER_S) -> None:
        """Prepare; nothing is sent yet.

        Args:
            answer_s: How long the server has to answer each question.

        Raises:
            NoSoundServerError: The library is not installed.

        """
        if sys.platform != "linux":
            raise NoSoundServerError("Sound servers are used on Linux only.")
        try:
            self._pa = libpulse()
        except OSError as error:
            raise NoSoundServerError(f"libpulse cannot be used ({error}).") from error
        self._answer_s = answer_s
        self._loop: Any = None
        self.context: Any = None
        """The library's handle."""

    def __enter__(self) -> Self:
        self._loop = self._pa.pa_mainloop_new()
        self.context = self._pa.pa_context_new(self._pa.pa_mainloop_get_api(self._loop), CLIENT_NAME)
        try:
            if self._pa.pa_context_connect(self.context, None, pa.CONTEXT_NO_AUTOSPAWN, None) < 0:
                raise self._refused()
            self.until(lambda: self._pa.pa_context_get_state(self.context) == pa.CONTEXT_READY)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def ended(self) -> bool:
        """Whether the server has gone, or ended the connection."""
        return self._pa.pa_context_get_state(self.context) in pa.CONTEXT_ENDED

    def turn(self, timeout_s: float) -> None:
        """Wait at most so long for the server, and let callbacks run for what came."""
        self._pa.pa_mainloop_prepare(self._loop, int(timeout_s * 1e6))
        self._pa.pa_mainloop_poll(self._loop)
        self._pa.pa_mainloop_dispatch(self._loop)

    def wake(self) -> None:
        """End the present or the next `turn`. From any thread, while the connection is open."""
        self._pa.pa_mainloop_wakeup(self._loop)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so.

        Raises:
            NoSoundServerError: The server went.
            SoundServerHangsError: It did not answer in time.

        """
        deadline_s = time.monotonic() + self._answer_s
        while not condition():
            if self.ended:
                raise self._refused()
            left_s = deadline_s - time.monotonic()
            if left_s <= 0.0:
                raise SoundServerHangsError(
                    f"The sound server did not answer within {self._answer_s:g} s.",
                    hint="Restart it; virtual devices work without it.",
                )
            self.turn(left_s)

    def devices(self) -> list[ServerDevice]:
        """Return its sinks, sources and monitors, in this order.

        Raises:
            DeviceError: As `until`.

        """
        server: list[tuple[str, str, str]] = []
        sinks: list[ServerDevice] = []
        sources: list[ServerDevice] = []
        answered: set[str] = set()

        def on_server(_context: Any, info: Any, _data: Any) -> None:
            if info:
                one = info.contents
                server.append(
                    (_text(one.server_name), _text(one.default_sink_name), _text(one.default_source_name))
                )
            answered.add("server")

        def on_sink(_context: Any, info: Any, end: int, _data: Any) -> None:
            if end:
                answered.add("sinks")
            else:
                sinks.append(_sink(info.contents, *server[0]))

        def on_source(_context: Any, info: Any, end: int, _data: Any) -> None:
            if end:
                answered.add("sources")
            else:
                sources.append(_source(info.contents, *server[0]))

        callbacks = (
            pa.ServerInfoCallback(on_server),
            pa.SinkInfoCallback(on_sink),
            pa.SourceInfoCallback(on_source),
        )
        self.ask(self._pa.pa_context_get_server_info, callbacks[0])
        self.until(lambda: "server" in answered)
        if not server:
            raise self._refused()
        self.ask(self._pa.pa_context_get_sink_info_list, callbacks[1])
        self.ask(self._pa.pa_context_get_source_info_list, callbacks[2])
        self.until(lambda: {"sinks", "sources"} <= answered)
        return sinks + sorted(sources, key=lambda source: source.info.monitor)

    def ask(self, question: Any, *arguments: Any) -> None:
        """Send a question, or a wish; its answer comes to the callback among `arguments`, in a later `turn`."""
        operation = question(self.context, *arguments, None)
        if operation:
            self._pa.pa_operation_unref(operation)

    def error(self) -> str:
        """What the library says of its last failure."""
        return _text(self._pa.pa_strerror(self._pa.pa_context_errno(self.context)))

    def _refused(self) -> NoSoundServerError:
        return NoSoundServerError(
            f"The sound server cannot be reached: {self.error()}.",
            hint="Start PulseAudio or PipeWire; virtual devices work without it.",
        )

    def _close(self) -> None:
        # Neither waits: what the server would have to say to it is not read any more.
        self._pa.pa_context_disconnect(self.context)
        self._pa.pa_context_unref(self.context)
        self._pa.pa_mainloop_free(self._loop)


def server_devices(*, answer_s: float = ANSWER_S) -> list[SystemDeviceInfo]:
    """Return the devices of the sound server as `sinks_and_sources`, without what only streams and `doctor` want to know."""
    return [device.info for device in sinks_and_sources(answer_s=answer_s)]


def sinks_and_sources(*, answer_s: float = ANSWER_S) -> list[ServerDevice]:
    """Return what the sound server has now. Takes some 5 ms, at most a few `answer_s`.

    Raises:
        NoSoundServerError: There is no server.
        SoundServerHangsError: It does not answer.

    """
    with PulseConnection(answer_s=answer_s) as connection:
        return connection.devices()


def _sink(info: pa.SinkInfo, server: str, default_sink: str, default_source: str) -> ServerDevice:
    del default_source
    name = _text(info.name)
    port, form_factor = described(info)
    return ServerDevice(
        SystemDeviceInfo(
            name=name,
            host_api=_host_api(server),
            inputs=0,
            outputs=info.sample_spec.channels,
            default_input=False,
            default_output=name == default_sink,
            sample_rate=float(info.sample_spec.rate),
            description=_text(info.description),
        ),
        _copied(info.channel_map),
        muted=bool(info.mute),
        volume=_loudest(info.volume),
        sample_format=info.sample_spec.format,
        configured_latency_us=info.configured_latency,
        port=port,
        form_factor=form_factor,
    )


def _source(info: pa.SourceInfo, server: str, default_sink: str, default_source: str) -> ServerDevice:
    del default_sink
    name = _text(info.name)
    port, form_factor = described(info)
    return ServerDevice(
        SystemDeviceInfo(
            name=name,
            host_api=_host_api(server),
            inputs=info.sample_spec.channels,
            outputs=0,
            default_input=name == default_source,
            default_output=False,
            sample_rate=float(info.sample_spec.rate),
            description=_text(info.description),
            monitor=info.monitor_of_sink != pa.INVALID_INDEX,
        ),
        _copied(info.channel_map),
        muted=bool(info.mute),
        volume=_loudest(info.volume),
        sample_format=info.sample_spec.format,
        configured_latency_us=info.configured_latency,
        port=port,
        form_factor=form_factor,
    )


def described(info: Any) -> tuple[DevicePort | None, str | None]:
    """Return the port in use of a sink's or source's structure, and its form factor. Only while the library shows it."""
    form_factor = None
    if info.properties:
        form_factor = _text(libpulse().pa_proplist_gets(info.properties, pa.FORM_FACTOR)) or None
    if not info.active_port:
        return None, form_factor
    port = info.active_port.contents
    number = port.type if _ports_have_kinds() else 0
    kind = pa.PORT_KINDS[number] if number < len(pa.PORT_KINDS) else None
    return DevicePort(_text(port.name), _text(port.description) or None, kind), form_factor


@functools.cache
def _ports_have_kinds() -> bool:
    version = re.match(r"\d+", _text(libpulse().pa_get_library_version()))
    return version is not None and int(version[0]) >= pa.PORT_KINDS_SINCE


def _copied(channel_map: pa.ChannelMap) -> pa.ChannelMap:
    # What the library shows is gone when its callback returns.
    return pa.ChannelMap.from_buffer_copy(channel_map)


def _loudest(volumes: pa.ChannelVolumes) -> float:
    return max(volumes.values[: volumes.channels], default=pa.VOLUME_NORM) / pa.VOLUME_NORM


def _host_api(server: str) -> str:
    return "PipeWire" if "PipeWire" in server else "PulseAudio"


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace")
