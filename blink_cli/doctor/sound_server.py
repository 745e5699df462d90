"""The sound server, and ALSA's plugins that lead to it."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from blink_cli.audio.devices.libasound import libasound
from blink_cli.audio.devices.libpulse import libpulse
from blink_cli.audio.devices.pulse_connection import (
    NoSoundServerError,
    ServerDevice,
    SoundServerHangsError,
    sinks_and_sources,
)
from blink_cli.doctor.finding import Finding, failed, fine, unknown, warning
from blink_cli.doctor.situation import Situation

NAME: Final = "sound-server"
PLUGIN: Final = "alsa-plugin"

_PLUGINS: Final = {
    "PulseAudio": {"pulse": "libasound2-plugins"},
    "PipeWire": {"pipewire": "pipewire-alsa", "pulse": "libasound2-plugins"},
}
"""Which plugins of ALSA lead to a server, and the Debian package of each."""

_START: Final = "Start it: `systemctl --user start pipewire-pulse`, or `pulseaudio --start`."


def look(_: Situation) -> Iterator[Finding]:
    """Ask the server for its devices, and look for ALSA's plugins where there is a server."""
    if sys.platform != "linux":
        return
    try:
        devices = sinks_and_sources()
    except SoundServerHangsError as error:
        yield failed(NAME, error.message.removesuffix("."), f"Restart it. {_START}")
        return
    except NoSoundServerError as error:
        yield _no_server(error)
        yield from _libraries_of_alsa()
        return
    yield _server(devices)
    yield _plugin(devices[0].info.host_api if devices else "PulseAudio")


def _no_server(error: NoSoundServerError) -> Finding:
    try:
        libpulse()
    except OSError:
        return warning(
            NAME,
            "libpulse is not installed, so PulseAudio and PipeWire are reached through ALSA at best",
            "Install it: `apt install libpulse0`.",
        )
    if os.environ.get("PULSE_SERVER"):
        return failed(
            NAME, f"{error.message.removesuffix('.')} (PULSE_SERVER={os.environ['PULSE_SERVER']})", _START
        )
    return unknown(NAME, "none is running: sound cards are used directly")


def _server(devices: list[ServerDevice]) -> Finding:
    if not devices:
        return failed(NAME, "it has no devices", "Plug one in, or load one: `pactl list short modules`.")
    inputs = [device.info.name for device in devices if device.info.inputs and not device.info.monitor]
    outputs = [device.info.name for device in devices if device.info.outputs]
    server = devices[0].info.host_api
    return fine(
        NAME,
        f"{server} answers; microphones: {len(inputs)}, speakers: {len(outputs)}",
    )


def _plugin(server: str) -> Finding:
    try:
        folder = plugin_folder()
    except OSError:
        return failed(
            PLUGIN,
            "ALSA's library is not installed (libasound.so.2)",
            "Install it: `apt install libasound2`.",
        )
    wanted = _PLUGINS.get(server, _PLUGINS["PulseAudio"])
    there = [name for name in wanted if (folder / f"libasound_module_pcm_{name}.so").exists()]
    if there:
        return fine(PLUGIN, f"ALSA reaches {server} by its plugin {' and '.join(there)}")
    package = next(iter(wanted.values()))
    return failed(
        PLUGIN,
        f"{server} runs, and ALSA's plugin that leads to it is missing in {folder}: PortAudio, and all that goes through ALSA, do not reach it",
        f"Install it: `apt install {package}` (Fedora: alsa-plugins-pulseaudio or pipewire-alsa).",
    )


def _libraries_of_alsa() -> Iterator[Finding]:
    try:
        libasound()
    except OSError:
        yield failed(
            PLUGIN,
            "no sound server runs, and ALSA's library is not installed (libasound.so.2)",
            "Install it: `apt install libasound2`.",
        )


def plugin_folder() -> Path:
    """Where ALSA's library looks for its plugins.

    Raises:
        OSError: The library is not installed.

    Source: alsa-lib 1.2, src/dlmisc.c: the environment, else a folder that is compiled in, beside the library.

    """
    named = os.environ.get("ALSA_PLUGIN_DIR")
    libasound()
    if named:
        return Path(named)
    with Path("/proc/self/maps").open(encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            found = re.search(r"(/\S*/)libasound\.so\.2", line)
            if found is not None:
                return Path(found[1]) / "alsa-lib"
    raise FileNotFoundError("the loaded libasound.so.2 has no file")
