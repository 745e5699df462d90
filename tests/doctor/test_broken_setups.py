"""`doctor` names what is broken on a machine that is really broken so, and finds nothing there where it is whole."""

import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from blink_cli.lab.network.laboratory import Laboratory, run
from blink_cli.lab.requirements import require_network_namespaces, require_program, unavailable
from blink_cli.lab.sessions import Machine, free_group, together
from blink_cli.lab.turn_server import TurnServer, free_port
from tests.support.sound_server import SoundServer
from tests.support.wall_clock import WallClock

FAILED = 6


class Found:
    """The findings of one run."""

    def __init__(self, exit_code: int, document: Any) -> None:
        self.exit_code = exit_code
        self._rows: dict[str, Mapping[str, Any]] = {row["name"]: row for row in document["checks"]}

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        return self._rows[name]

    def broken(self, name: str, *words: str) -> None:
        """Make sure that something is a failure, told with these words, and with something to do."""
        row = self[name]
        assert (row["ok"], row["level"]) == (False, "failed"), row
        assert row["remedy"], row
        for word in words:
            assert word in row["found"] + row["remedy"], row
        assert self.exit_code == FAILED

    def whole(self, *names: str) -> None:
        """Make sure that these are as they should be."""
        for name in names:
            assert self[name]["ok"] is True, self[name]


async def doctor(machine: Machine, *words: str, profile: str = "anna") -> Found:
    """Run it with these checks and options."""
    ran = await machine.run(profile, "--json", "doctor", *words, timeout_s=60.0)
    assert ran.exit_code in (0, FAILED), ran.report()
    document = ran.json
    assert document["schema"] == 1
    assert (ran.exit_code == FAILED) == any(row["ok"] is False for row in document["checks"])
    return Found(ran.exit_code, document)


def in_mount_namespace(script: str, *arguments: str | Path) -> Sequence[str]:
    """What to put before a command so that `script` has changed what is mounted for it alone; its arguments are $1, $2, …

    A shell that has run the script becomes the command.
    """
    require_network_namespaces()  # which needs the same rights
    program = require_program("unshare", debian_package="util-linux")
    count = len(arguments)
    return (
        program,
        "--mount",
        "sh",
        "-c",
        f'set -e; {script}; shift {count}; exec "$@"',
        "sh",
        *map(str, arguments),
    )


def portaudio_library() -> Path:
    found = sorted(Path("/usr/lib").glob("*/libportaudio.so.2*"))
    if not found:
        unavailable("PortAudio is not installed (Debian package libportaudio2)")
    return found[0].resolve()


# libraries


async def test_no_portaudio() -> None:
    library = portaudio_library()
    prefix = in_mount_namespace('mount --bind /dev/null "$1"', library)
    async with Machine(prefix=prefix) as without:
        broken = await doctor(without, "portaudio")
    broken.broken("portaudio", "PortAudio is missing", "apt install libportaudio2")
    async with Machine() as with_it:
        (await doctor(with_it, "portaudio")).whole("portaudio")


# servers


async def test_a_dead_turn_server_and_one_that_refuses(machine: Machine) -> None:
    with TurnServer() as coturn:
        dead = f"turn:anna:secret@127.0.0.1:{free_port()}"
        right = f"turn:{coturn.username}:{coturn.credential}@127.0.0.1:{coturn.port}"
        wrong = f"turn:{coturn.username}:guess@127.0.0.1:{coturn.port}?transport=tcp"
        found = await doctor(
            machine, "ice-server", *(word for url in (dead, right, wrong) for word in ("--ice-server", url))
        )
    found.broken(f"ice-server:{dead.replace('anna:secret@', '')}", "Check its name and port")
    found.broken(f"ice-server:turn:127.0.0.1:{coturn.port}?transport=tcp", "refuses", "Correct username")
    found.whole(f"ice-server:turn:127.0.0.1:{coturn.port}")


# network


@pytest.mark.netns
async def test_multicast_that_a_firewall_drops(lab: Laboratory) -> None:
    (anna,) = await lab.hosts("anna")
    anna.machine.interface = None
    group = anna.machine.group
    port = group.rpartition(":")[2]
    checks = ("multicast", "firewall", "--group", group)
    whole = await doctor(anna.machine, *checks)
    whole.whole("multicast:eth0", "multicast:lo", "firewall")
    for rule in (
        "add table inet filter",
        "add chain inet filter input { type filter hook input priority 0; }",
        f"add rule inet filter input iifname eth0 udp dport {port} drop",
    ):
        await run(*anna.prefix, "nft", rule)
    broken = await doctor(anna.machine, *checks)
    broken.broken("multicast:eth0", "does not come back", f"ufw allow {port}/udp")
    broken.whole("multicast:lo")
    assert broken["firewall"]["level"] == "warning"
    assert "chain input of table inet filter" in broken["firewall"]["found"]


@pytest.mark.netns
async def test_multicast_of_others_that_is_dropped_on_the_way(lab: Laboratory) -> None:
    anna, bert = await lab.hosts("anna", "bert")
    for host in (anna, bert):
        host.machine.interface = None
    first, _ = await together(
        anna.machine.serve("anna", "--input", "silence", "--output", "null"),
        bert.machine.serve("bert", "--input", "silence", "--output", "null"),
    )
    await first.until("peers", lambda peers: any(peer["alive"] for peer in peers), what="bert is here")
    (await doctor(anna.machine, "multicast")).whole("multicast:eth0", "multicast-others")
    for rule in (
        "add table netdev wire",
        "add chain netdev wire ingress { type filter hook ingress device eth0 priority 0; }",
        f"add rule netdev wire ingress ip daddr {anna.machine.group.rpartition(':')[0]} drop",
        "add rule netdev wire ingress ip6 daddr ff00::/8 udp dport != 5353 drop",
    ):
        await run(*anna.prefix, "nft", rule)
    broken = await doctor(anna.machine, "multicast")
    broken.broken("multicast-others", "bert (10.66.0.2)", "--neighbour")


async def test_a_port_that_another_program_keeps_for_itself(machine: Machine) -> None:
    checks = ("udp-port", "--group", machine.group)
    (await doctor(machine, *checks)).whole("udp-port")
    port = int(machine.group.rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as greedy:
        greedy.bind(("", port))
        broken = await doctor(machine, *checks)
    broken.broken("udp-port", f"UDP port {port} is held by python", "--group")


# clocks


async def test_a_clock_that_is_off(tmp_path: Path) -> None:
    group = free_group()
    clock = WallClock(tmp_path, ahead_s=3_600.0)
    async with Machine(group=group, environment=clock.environment) as ahead, Machine(group=group) as right:
        anna, _ = await together(
            ahead.serve("anna", "--input", "silence", "--output", "null"),
            right.serve("bert", "--input", "silence", "--output", "null"),
        )
        await anna.until(
            "status", lambda status: status["wrong_clocks"], what="the clocks have been compared"
        )
        at_anna, at_bert = await together(doctor(ahead, "clock"), doctor(right, "clock", profile="bert"))
    at_anna.broken("clock", "1 h ahead of the system's")
    at_anna.broken("clock-peers", "bert's clock is", "behind this one", "Set the clock")
    assert at_bert["clock"]["ok"] is not False
    at_bert.broken("clock-peers", "anna's clock is 1 h ahead of this one")


# the profile


async def test_a_profile_on_a_read_only_disk(tmp_path: Path) -> None:
    prefix = in_mount_namespace('mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"', tmp_path)
    async with Machine(prefix=prefix) as machine:
        broken = await doctor(machine, "profile", "--data-dir", str(tmp_path))
    broken.broken("profile", "Read-only file system", "remount", "--data-dir")
    async with Machine() as machine:
        whole = await doctor(machine, "profile", "--data-dir", str(tmp_path))
    whole.whole("profile", "disk-space", "settings")
    assert os.listdir(tmp_path) == [], "it leaves nothing behind"  # noqa: PTH208 - a moment


async def test_a_disk_without_space(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=256k none "$1"; dd if=/dev/zero of="$1/full" bs=1k 2>/dev/null || true'
    async with Machine(prefix=in_mount_namespace(script, tmp_path)) as machine:
        broken = await doctor(machine, "profile", "--data-dir", str(tmp_path))
    broken.broken("profile", "No space left on device", "Make room")
    broken.broken("disk-space", "free at")


# sound


async def test_beside_a_session_the_device_that_it_misses_is_looked_at(tmp_path: Path) -> None:
    configuration = tmp_path / "asound.conf"
    configuration.write_text("</usr/share/alsa/alsa.conf>\npcm.!default { type hw card 31 }\n")
    no_sound = {"PULSE_SERVER": f"unix:{tmp_path / 'nobody'}", "ALSA_CONFIG_PATH": str(configuration)}
    async with Machine(environment=no_sound) as machine:
        anna = await machine.serve("anna", "--output", "null")
        status = await anna.ask("status")
        assert (status["input"], status["missed_input"]) == ("silence", "default")
        assert (status["output"], status["missed_output"]) == ("null", None)
        found = await doctor(machine, "audio-devices", "sound-server")
    found.broken("input", "default cannot be used")
    found.broken("sound-server", f"PULSE_SERVER=unix:{tmp_path / 'nobody'}")
    found.whole("output")


@pytest.mark.sound
@pytest.mark.real_time
async def test_a_microphone_that_is_off_or_slow(tmp_path: Path) -> None:
    with SoundServer("left") as server:
        server.control("load-module", "module-remap-source", "master=left.monitor", "source_name=mic")
        server.control("set-default-source", "mic")
        async with Machine(environment=server.environment) as machine:
            whole = await doctor(machine, "sound-server", "audio-devices")
            whole.whole(
                "sound-server",
                "alsa-plugin",
                "output",
                "input-volume",
                "output-volume",
                "input-rate",
                "output-rate",
            )
            whole.broken("input", "exact zeros", "nobody will hear you")

            server.control("set-source-mute", "mic", "1")
            server.control("set-sink-volume", "left", "0")
            broken = await doctor(machine, "audio-devices")
            broken.broken("input-volume", "the microphone mic is muted", "pactl set-source-mute mic 0")
            broken.broken(
                "output-volume", "the volume of the speaker left is 0", "pactl set-sink-volume left 100%"
            )

            telephone = ("rate=8000", "channels=1", "channel_map=mono", "master_channel_map=front-left")
            server.control(
                "load-module", "module-remap-source", "master=left.monitor", "source_name=headset", *telephone
            )
            server.control(
                "load-module", "module-remap-sink", "master=left", "sink_name=earpiece", *telephone
            )
            server.control("set-default-source", "headset")
            server.control("set-default-sink", "earpiece")
            slow = await doctor(machine, "audio-devices")
            slow.broken("input-rate", "headset runs at 8000 Hz", "all above 4000 Hz is missing")
            slow.broken("output-rate", "earpiece runs at 8000 Hz")
        async with Machine(environment={**server.environment, "ALSA_PLUGIN_DIR": str(tmp_path)}) as machine:
            missing = await doctor(machine, "sound-server")
            missing.broken("alsa-plugin", "plugin that leads to it is missing", "libasound2-plugins")
            missing.whole("sound-server")
