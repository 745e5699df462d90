"""A real PipeWire without hardware, private to a test: PipeWire, WirePlumber and pipewire-pulse, headless.

    libpulse ──> pipewire-pulse ──┐
    ALSA ──> its "pipewire" plugin ──> PipeWire ──> null sink NAME ──> its monitor ──> source NAME_mic ──> …

Each sink NAME has a microphone NAME_mic that hears what NAME plays. Processes find the servers through four variables (`environment`).
ALSA has the devices `alsa_NAME` and `default`, both through the plugin of Debian's package pipewire-alsa. That package and pulseaudio exclude
each other, so its plugin is unpacked into a temporary folder.
"""

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from blink_cli.lab.requirements import require_program, unavailable

START_TIMEOUT_S = 10.0
LINKED_S = 3.0
"""A stream is linked within 0.1 s where WirePlumber works at all."""

STARTS = 3
"""WirePlumber 0.4.13 begins now and then and links nothing. Started again alone it never links anything, to new sinks neither: all three are
started anew."""

PLUGIN = "libasound_module_pcm_pipewire.so"
_unpacked = tempfile.TemporaryDirectory(prefix="blink-pipewire-alsa-")


class PipeWireServer:
    """PipeWire, its session manager and its PulseAudio server, from `__enter__` to `__exit__`."""

    def __init__(self, *sinks: str, descriptions: Sequence[str] = ()) -> None:
        """Prepare.

        Args:
            sinks: Their names.
            descriptions: What people call them, as far as they differ from the names.

        """
        self._sinks = sinks or ("left", "right")
        self._descriptions = dict(zip(self._sinks, descriptions, strict=False))
        self._folder = tempfile.TemporaryDirectory(prefix="blink-pw-")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use this server and no other."""
        folder = Path(self._folder.name)
        return {
            "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
            "PIPEWIRE_RUNTIME_DIR": str(folder),
            "PULSE_SERVER": f"unix:{folder / 'pulse' / 'native'}",
            "PULSE_COOKIE": str(folder / "cookie"),
        }

    def __enter__(self) -> Self:
        require_program("pipewire")
        require_program("wireplumber")
        require_program("pipewire-pulse")
        require_program("dbus-daemon")
        require_program("pactl", debian_package="pulseaudio-utils")
        folder = Path(self._folder.name)
        folder.chmod(0o700)
        self._write_alsa_configuration(folder / "asound.conf")
        try:
            self._start("dbus-daemon", "--session", "--nofork", f"--address=unix:path={folder / 'bus'}")
            self._await(folder / "bus", "dbus-daemon")
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def start(self) -> None:
        """Start the servers, also again after `kill`, and make the sinks."""
        for _ in range(STARTS):
            self._start_servers()
            for sink in self._sinks:
                self._make(sink)
            if all(self._is_heard(f"{sink}_mic") for sink in self._sinks):
                self.control("set-default-sink", self._sinks[0])
                self.control("set-default-source", f"{self._sinks[0]}_mic")
                return
            self.kill()
        raise AssertionError(f"WirePlumber links nothing:\n{self._log('wireplumber')}")

    def kill(self) -> None:
        """End all three servers, as if they had crashed."""
        for name in ("pipewire-pulse", "wireplumber", "pipewire"):
            self._kill(name)
        for left in (Path(self._folder.name) / "pipewire-0", Path(self._folder.name) / "pulse" / "native"):
            left.unlink(missing_ok=True)

    def halt(self) -> None:
        """Stop all three processes: nothing moves and no error is told."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def plug_in(self, sink: str) -> None:
        """Make a sink and the microphone that hears it, linked to each other."""
        self._make(sink)
        assert self._is_heard(f"{sink}_mic"), f"WirePlumber does not link {sink}:\n{self._log('wireplumber')}"

    def unplug(self, sink: str) -> None:
        """Remove a sink and its microphone. Streams on them are moved to another one, if there is one."""
        for line in self.control("list", "short", "modules").splitlines():
            number, module, argument = (*line.split("\t"), "", "")[:3]
            if (module, f"sink_name={sink} ") == ("module-null-sink", f"{argument.split(' ')[0]} ") or (
                module == "module-remap-source" and f"master={sink}.monitor " in f"{argument} "
            ):
                self.control("unload-module", number)

    def set_quantum(self, frames: int) -> None:
        """Have PipeWire work in pieces of so many frames; 0: as it likes."""
        self.metadata("clock.force-quantum", frames)

    def set_rate(self, rate_hz: int) -> None:
        """Have PipeWire work at this rate; 0: as it likes."""
        self.metadata("clock.force-rate", rate_hz)

    def metadata(self, key: str, value: int) -> None:
        """Set one of PipeWire's settings."""
        self._run("pw-metadata", "-n", "settings", "0", key, str(value))

    def control(self, *arguments: str) -> str:
        """Run `pactl` against this server and return what it prints."""
        return self._run("pactl", *arguments)

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True, check=True, timeout=10
        )
        return done.stdout

    def _start(self, *command: str) -> None:
        folder = Path(self._folder.name)
        private = {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_STATE_HOME": str(folder / "state"),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder / 'bus'}",
        }
        with (folder / f"{command[0]}.log").open("ab") as log:
            self._processes[command[0]] = subprocess.Popen(
                command, env=os.environ | private, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _await(self, socket: Path, name: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not socket.exists():
            if self._processes[name].poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{name} did not start:\n{self._log(name)}")
            time.sleep(0.02)

    def _await_listed(self, kind: str, name: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while f"\t{name}\t" not in (listed := self.control("list", "short", kind)):
            assert time.monotonic() < deadline, f"{name} is not among the {kind}:\n{listed}"
            time.sleep(0.02)

    def _start_servers(self) -> None:
        folder = Path(self._folder.name)
        self._start("pipewire")
        self._await(folder / "pipewire-0", "pipewire")
        self._start("wireplumber")
        self._start("pipewire-pulse")
        self._await(folder / "pulse" / "native", "pipewire-pulse")

    def _log(self, name: str) -> str:
        return (Path(self._folder.name) / f"{name}.log").read_text()

    def _make(self, sink: str) -> None:
        description = self._descriptions.get(sink)
        properties = (
            [] if description is None else [f"sink_properties=\"device.description='{description}'\""]
        )
        self.control("load-module", "module-null-sink", f"sink_name={sink}", "rate=48000", *properties)
        self.control(
            "load-module", "module-remap-source", f"master={sink}.monitor", f"source_name={sink}_mic"
        )
        self._await_listed("sinks", sink)
        self._await_listed("sources", f"{sink}_mic")

    def _is_heard(self, source: str) -> bool:
        """Whether a stream gets something from a source: silence is enough."""
        listening = subprocess.Popen(
            ["parec", "--raw", f"--device={source}", "--latency-msec=20"],
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert listening.stdout is not None
            ready = select.select([listening.stdout], [], [], LINKED_S)[0]
            return bool(ready and os.read(listening.stdout.fileno(), 1))
        finally:
            listening.kill()
            listening.communicate()

    def _end(self) -> None:
        for name in reversed(list(self._processes)):
            self._kill(name)
        self._folder.cleanup()

    def _signal(self, number: signal.Signals) -> None:
        for name in ("pipewire-pulse", "wireplumber", "pipewire"):
            self._processes[name].send_signal(number)

    def _kill(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process is not None:
            process.kill()
            process.wait()

    def _write_alsa_configuration(self, path: Path) -> None:
        # Hooks of the packaged configuration would make `default` a device of another server.
        packaged = Path("/usr/share/alsa/alsa.conf").read_text()
        hooks_end = packaged.index("\n]", packaged.index("@hooks")) + 2
        server = path.parent / "pipewire-0"
        lines = [packaged[hooks_end:], f'pcm_type.pipewire {{ lib "{_plugin()}" }}']
        names = {"!default": self._sinks[0]} | {f"alsa_{sink}": sink for sink in self._sinks}
        for name, sink in names.items():
            lines.append(
                f'pcm.{name} {{ type pipewire server "{server}" playback_node "{sink}" capture_node "{sink}_mic"'
                f' hint {{ show on description "{name}" }} }}'
            )
        path.write_text("\n".join(lines) + "\n")


@cache
def _plugin() -> Path:
    """ALSA's plugin for PipeWire: the system's, or unpacked from its package."""
    for place in (Path("/usr/lib"), Path("/usr/lib64")):
        for found in place.glob(f"**/alsa-lib/{PLUGIN}"):
            return found
    require_program("apt-get")
    folder = Path(_unpacked.name)
    folder.chmod(0o755)
    done = subprocess.run(
        ["apt-get", "download", "-q", "pipewire-alsa"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    packages = list(folder.glob("pipewire-alsa*.deb"))
    if not packages:
        unavailable(f"ALSA's plugin for PipeWire (Debian package pipewire-alsa) cannot be had: {done.stderr}")
    subprocess.run(["dpkg", "-x", str(packages[0]), str(folder)], check=True)
    return next(folder.glob(f"**/alsa-lib/{PLUGIN}"))
