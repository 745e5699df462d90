"""A real sound server without hardware: PulseAudio with null sinks, private to a test.

                                 libpulse ──> PulseAudio ──> null sink NAME ──> its monitor NAME.monitor ──> …
    PortAudio ──> ALSA ──> its "pulse" plugin ──┘

Each sink appears to PortAudio as an output device NAME_alsa and an input device NAME_monitor, which records what NAME plays. The first sink
is the default output, its monitor the default input. Processes find the server through two variables (`environment`).

The sinks are made with `norewinds=1`: without it a null sink that was idle sleeps for up to two seconds before it takes the first sample.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from blink_cli.lab.requirements import require_program, unavailable
from tests.support.pipewire_server import PipeWireServer

START_TIMEOUT_S = 10.0


class SoundServer:
    """One server, from `__enter__` to `__exit__`."""

    def __init__(self, *sinks: str) -> None:
        self._sinks = sinks or ("left", "right")
        self._folder = tempfile.TemporaryDirectory(prefix="blink-sound-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use this server and no other."""
        folder = Path(self._folder.name)
        return {
            "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
            "PULSE_SERVER": f"unix:{folder / 'native'}",
            "PULSE_COOKIE": str(folder / "cookie"),
        }

    def __enter__(self) -> Self:
        require_program("pulseaudio")
        require_program("pactl", debian_package="pulseaudio-utils")
        _require_pulse_plugin()
        folder = Path(self._folder.name)
        self._write_alsa_configuration(folder / "asound.conf")
        self.start()
        return self

    def start(self) -> None:
        """Start the server; also again, after `kill`."""
        folder = Path(self._folder.name)
        arguments = [
            "pulseaudio",
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--system=false",
            "--disable-shm=true",
        ]
        arguments += ["-L", f"module-native-protocol-unix socket={folder / 'native'} auth-anonymous=1"]
        for sink in self._sinks:
            arguments += ["-L", _null_sink(sink)]
        private = {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder / "run"),
        }
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                arguments, env=os.environ | private, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._await_start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._folder.cleanup()

    def kill(self) -> None:
        """End the server, as if it had crashed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def halt(self) -> None:
        """Stop the server's process: nothing moves, nobody gets an answer, and no error is told."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def plug_in(self, sink: str, channels: int = 2) -> None:
        """Make a sink."""
        self.control("load-module", *_null_sink(sink).split(), f"channels={channels}")

    def unplug(self, sink: str) -> None:
        """Remove a sink. Streams on it are moved to another one, if there is one."""
        for line in self.control("list", "short", "modules").splitlines():
            number, module, argument = (*line.split("\t"), "", "")[:3]
            if module == "module-null-sink" and f"sink_name={sink} " in f"{argument} ":
                self.control("unload-module", number)

    def freeze(self) -> None:
        """Stop every stream, by suspending all sinks: callbacks cease and no error is told."""
        self.control("suspend-sink", "1")

    def thaw(self) -> None:
        """Let them go on."""
        self.control("suspend-sink", "0")

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "it runs"
        self._process.send_signal(number)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let the whole server stand still, as on a machine that sleeps or is overloaded; it knows nothing of it."""
        self.halt()
        try:
            yield
        finally:
            self.resume()

    def control(self, *arguments: str) -> str:
        """Run `pactl` against this server and return what it prints."""
        done = subprocess.run(
            ["pactl", *arguments],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
        return done.stdout

    def _await_start(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                if len(self.control("list", "short", "sinks").splitlines()) >= len(self._sinks):
                    return
            except subprocess.CalledProcessError:
                pass  # not listening yet
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (Path(self._folder.name) / "log").read_text()
                raise AssertionError(f"PulseAudio did not start:\n{log}")
            time.sleep(0.02)

    def _write_alsa_configuration(self, path: Path) -> None:
        devices = {"!default": self._sinks[0]} | {sink: sink for sink in self._sinks}
        lines = ["</usr/share/alsa/alsa.conf>"]
        for name, sink in devices.items():
            # Without a device the plugin uses the server's default for either direction, which survives unplugging.
            device = "" if name == "!default" else f'device "{sink}"'
            lines.append(f"pcm.{name} {{ type pulse {device} }}")
            if name != "!default":
                lines.append(f'pcm.{name}_monitor {{ type pulse device "{sink}.monitor" }}')
                lines.append(f'pcm.{name}_alsa {{ type pulse device "{sink}" }}')
        path.write_text("\n".join(lines) + "\n")


@contextmanager
def sound_system(server: "SoundServer | PipeWireServer") -> Iterator["SoundServer | PipeWireServer"]:
    """Make `server` the sound system of this process too, for PortAudio in it."""
    before = {name: os.environ.get(name) for name in server.environment}
    os.environ.update(server.environment)
    try:
        yield server
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _null_sink(name: str) -> str:
    return f"module-null-sink sink_name={name} rate=48000 norewinds=1"


def _require_pulse_plugin() -> None:
    places = [Path("/usr/lib"), Path("/usr/lib64")]
    if not any(place.glob("**/alsa-lib/libasound_module_pcm_pulse.so") for place in places):
        unavailable("ALSA cannot reach PulseAudio (Debian package libasound2-plugins)")
    try:
        import sounddevice  # noqa: F401, PLC0415
    except OSError:
        unavailable("PortAudio is not installed (Debian package libportaudio2)")
