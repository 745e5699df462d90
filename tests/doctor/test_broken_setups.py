"""`doctor` names what is broken on a machine that is really broken so, and finds nothing there once its own remedy was followed.

What a process of its own adds is proved once (`test_the_command_…`) and where a session is beside; all else runs in this process.
"""

import asyncio
import os
import socket
import subprocess
from pathlib import Path

import pytest

from blink_cli.core.api.ice_server import parse_ice_server
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.doctor import (
    audio_devices,
    firewall,
    ice,
    multicast,
    portaudio_library,
    profile_folder,
    sound_server,
    udp_port,
)
from blink_cli.lab.network.laboratory import Host, Laboratory, run
from blink_cli.lab.network.namespaces import inside
from blink_cli.lab.requirements import require_network_namespaces, require_program, unavailable
from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Machine, free_group
from blink_cli.lab.turn_server import TurnServer, free_port
from tests.doctor.parts import FAILED, Found, situation
from tests.support.own_mounts import with_mounts
from tests.support.sound_server import SoundServer, sound_system
from tests.support.wall_clock import WallClock


async def doctor(machine: Machine, *words: str, profile: str = "anna") -> Found:
    """Run the command with these checks and options."""
    ran = await machine.run(profile, "--json", "doctor", *words, timeout_s=60.0)
    assert ran.exit_code in (0, FAILED), ran.report()
    document = ran.json
    assert document["schema"] == 1
    assert (ran.exit_code == FAILED) == any(row["ok"] is False for row in document["checks"])
    return Found(document["checks"])


def portaudio() -> Path:
    found = sorted(Path("/usr/lib").glob("*/libportaudio.so.2*"))
    if not found:
        unavailable("PortAudio is not installed (Debian package libportaudio2)")
    return found[0].resolve()


# the command


async def test_the_command_ends_with_6_where_something_is_broken_without_rights_and_two_at_once(
    tmp_path: Path,
) -> None:
    require_network_namespaces()  # which needs the same rights
    unshare = require_program("unshare", debian_package="util-linux")
    script = (
        'mount --bind /dev/null "$1"; mount -t tmpfs -o ro none "$2"; shift 2;'
        # As who is not root: it owns its files, and has no rights beyond that.
        ' exec setpriv --bounding-set=-all --inh-caps=-all "$@"'
    )
    prefix = (unshare, "--mount", "sh", "-ec", script, "sh", str(portaudio()), str(tmp_path))
    data = tmp_path / "not-made" / "data"
    async with Machine(prefix=prefix) as machine:
        first, second = await together(
            doctor(machine, "portaudio", "profile", "session", "--data-dir", str(data)),
            doctor(machine, "portaudio", "profile", "terminal", "firewall", "--data-dir", str(data)),
        )
    for broken in (first, second):
        broken.broken("portaudio", "PortAudio is missing", "apt install libportaudio2")
        broken.broken("profile", "Read-only file system", "remount", "--data-dir")
    first.whole("session")
    second.whole("terminal")


# libraries


@pytest.mark.parametrize("in_its_place", ["/dev/null", "/etc/os-release"], ids=["empty", "damaged"])
def test_no_portaudio(tmp_path: Path, in_its_place: str) -> None:
    broken = with_mounts(
        lambda: Found.of(portaudio_library.look(situation(tmp_path))),
        'mount --bind "$1" "$2"',
        in_its_place,
        portaudio(),
    )
    broken.broken("portaudio", "PortAudio is missing", "apt install libportaudio2")
    Found.of(portaudio_library.look(situation(tmp_path))).whole("portaudio")


# servers


async def test_turn_servers_that_are_dead_refuse_or_have_no_name(tmp_path: Path) -> None:
    with TurnServer() as coturn:
        nobody = f"127.0.0.1:{free_port()}"
        servers = {
            "dead": parse_ice_server(f"turn:{nobody}", username="anna", credential="secret"),
            "dead tcp": parse_ice_server(
                f"turn:{nobody}?transport=tcp", username="anna", credential="secret"
            ),
            "nameless": parse_ice_server("stun:no-such-host.invalid"),
            "strict": coturn.server(transport="tcp", credential="guess"),
            "right": coturn.server(),
            "stun": coturn.server("stun"),
        }
        options = SessionOptions(ice_servers=tuple(servers.values()), ice_transport="relay")
        found = Found.of(await ice.look(situation(tmp_path, options)))
    name = {which: f"ice-server:{server.url}" for which, server in servers.items()}
    found.broken(name["dead"], "Check its name and port")
    found.broken(name["dead tcp"], "nothing listens there")
    found.broken(name["nameless"], "the name no-such-host.invalid")
    found.broken(name["strict"], "refuses", "Correct username")
    found.whole(name["right"], name["stun"])
    only = SessionOptions(ice_servers=(servers["stun"],), ice_transport="relay")
    Found.of(await ice.look(situation(tmp_path, only))).broken("ice-server:relay", "--ice-transport all")


# network


async def seen_on(host: Host, tmp_path: Path) -> Found:
    """What the checks of a host's network say."""

    def look() -> Found:
        here = situation(tmp_path, SessionOptions(group=host.machine.group))
        with inside(host.namespace):
            return Found.of([*multicast.look(here), *firewall.look(here)])

    return await asyncio.to_thread(look)


FILTER = (
    "add table inet filter",
    "add chain inet filter input { type filter hook input priority 0; }",
    "add chain inet filter output { type filter hook output priority 0; }",
)


@pytest.mark.netns
async def test_multicast_that_a_firewall_drops(lab: Laboratory, tmp_path: Path) -> None:
    hosts = await lab.hosts("whole", "inward", "outward", "closed", "off")
    whole, inward, outward, closed, off = hosts
    group, _, port = whole.machine.group.rpartition(":")
    for host, rule in (
        (inward, f"add rule inet filter input iifname eth0 udp dport {port} drop"),
        (outward, f"add rule inet filter output oifname eth0 ip daddr {group} drop"),
        (closed, "chain inet filter input { policy drop; }"),
    ):
        for line in (*FILTER, rule):
            await host.run("nft", line)
    await outward.run("nft", f"add rule inet filter output oifname eth0 udp dport {port} drop")
    await off.run("ip", "link", "set", "eth0", "multicast", "off")

    found = dict(zip(hosts, await together(*(seen_on(host, tmp_path) for host in hosts)), strict=True))
    found[whole].whole("multicast:eth0", "multicast:lo", "firewall")
    for host in (inward, closed):
        found[host].broken("multicast:eth0", "does not come back", f"ufw allow {port}/udp")
        found[host].warned("firewall", "chain input of table inet filter")
    found[inward].whole("multicast:lo")
    assert found[outward]["multicast:eth0"]["ok"] is False, found[outward]["multicast:eth0"]
    found[outward].warned("firewall", "chain output of table inet filter")
    found[off].broken("multicast:eth0", "switched off")

    for host, beginning in ((inward, "nft"), (closed, "nft"), (off, "ip link")):
        await host.run(*found[host].command("multicast:eth0", beginning))
    repaired = (inward, closed, off)
    for mended in await together(*(seen_on(host, tmp_path) for host in repaired)):
        mended.whole("multicast:eth0")


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


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, ""), (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_a_port_that_another_program_keeps_for_itself(
    tmp_path: Path, family: socket.AddressFamily, address: str
) -> None:
    here = situation(tmp_path, SessionOptions(group=free_group()))
    Found.of(udp_port.look(here)).whole("udp-port")
    port = int(here.network.group.rpartition(":")[2])
    with (
        socket.socket(family, socket.SOCK_DGRAM) as greedy,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as next_one,
    ):
        greedy.bind((address, port))
        next_one.bind(("", port + 1))
        broken = Found.of(udp_port.look(here))
        broken.broken("udp-port", f"UDP port {port} is held by ", f"(process {os.getpid()})")
        _, group = broken.command("udp-port", "--group")
        Found.of(udp_port.look(situation(tmp_path, SessionOptions(group=group)))).whole("udp-port")
    Found.of(udp_port.look(here)).whole("udp-port")


# clocks


async def test_a_clock_that_is_off(tmp_path: Path) -> None:
    group = free_group()
    clock = WallClock(tmp_path, ahead_s=-3_600.0)
    async with Machine(group=group, environment=clock.environment) as behind, Machine(group=group) as right:
        anna, _ = await together(
            behind.serve("anna", "--input", "silence", "--output", "null"),
            right.serve("bert", "--input", "silence", "--output", "null"),
        )
        await anna.until(
            "status", lambda status: status["wrong_clocks"], what="the clocks have been compared"
        )
        at_anna, at_bert = await together(doctor(behind, "clock"), doctor(right, "clock", profile="bert"))
    at_anna.broken("clock-peers", "bert's clock is", "ahead of this one", "Set the clock")
    at_anna.broken("clock", "behind")
    assert at_bert["clock"]["ok"] is not False
    at_bert.broken("clock-peers", "anna's clock is 1 h behind this one")


# the profile


def profile_in(folder: Path) -> Found:
    return Found.of(profile_folder.look(situation(folder)))


def test_a_profile_on_a_read_only_disk(tmp_path: Path) -> None:
    mounted = tmp_path / "the disk"
    mounted.mkdir()

    def look() -> tuple[Found, Found]:
        broken = profile_in(mounted)
        subprocess.run(["sh", "-ec", remedy_of(broken, "profile", "mount")], check=True)
        return broken, profile_in(mounted)

    broken, mended = with_mounts(look, 'mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"', mounted)
    broken.broken("profile", "Read-only file system", "dmesg", "--data-dir")
    mended.whole("profile", "disk-space", "settings")
    assert os.listdir(mounted) == [], "it leaves nothing behind"  # noqa: PTH208 - a moment


def remedy_of(found: Found, name: str, beginning: str) -> str:
    """The command of a remedy as a shell takes it."""
    parts: list[str] = found[name]["remedy"].split("`")[1::2]
    return next(one for one in parts if one.startswith(beginning))


@pytest.mark.parametrize(
    ("options", "word"),
    [("size=256k", "No space left on device"), ("nr_inodes=1", "No space left on device")],
)
def test_a_disk_without_space(tmp_path: Path, options: str, word: str) -> None:
    script = 'mount -t tmpfs -o "$2" none "$1"; dd if=/dev/zero of="$1/full" bs=1k 2>/dev/null || true'
    if "inodes" in options:
        script = 'mount -t tmpfs -o "$2" none "$1"'
    broken = with_mounts(lambda: profile_in(tmp_path), script, tmp_path, options)
    broken.broken("profile", word, "Make room")
    broken.broken("disk-space", "free at" if "size" in options else "inodes")


def test_a_profile_of_another_user(tmp_path: Path) -> None:
    require_network_namespaces()  # root
    folder = situation(tmp_path).profile.data_dir
    folder.mkdir(mode=0o700, parents=True)
    os.chown(folder, 65534, 65534)
    broken = profile_in(tmp_path)
    broken.broken("profile", "belongs to another user")
    subprocess.run(["sh", "-ec", remedy_of(broken, "profile", "sudo").removeprefix("sudo ")], check=True)
    profile_in(tmp_path).whole("profile")


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


TELEPHONE = ("rate=8000", "channels=1", "channel_map=mono", "master_channel_map=front-left")


@pytest.mark.sound
@pytest.mark.real_time
async def test_microphones_and_speakers_that_are_off_or_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SoundServer("left", "right", "cd") as server, sound_system(server):
        for name, *others in (
            ("mic", "master=left.monitor"),
            ("dumb", "master=left.monitor"),
            ("turned_down", "master=left.monitor"),
            ("headset", "master=left.monitor", *TELEPHONE),
        ):
            server.control("load-module", "module-remap-source", f"source_name={name}", *others)
        server.control("load-module", "module-remap-sink", "master=left", "sink_name=earpiece", *TELEPHONE)
        server.control("load-module", "module-remap-sink", "master=left", "sink_name=disc", "rate=44100")
        server.control("set-default-source", "mic")
        server.control("set-source-mute", "dumb", "1")
        server.control("set-source-volume", "turned_down", "0")
        server.control("set-sink-volume", "right", "0")
        server.control("set-sink-mute", "cd", "1")

        async def devices(microphone: str | None, speaker: str | None) -> Found:
            here = situation(tmp_path, SessionOptions(input=microphone, output=speaker))
            return await asyncio.to_thread(lambda: Found.of(audio_devices.look(here)))

        whole, muted, silent, slow, disc = await together(
            devices(None, None),
            devices("dumb", "right"),
            devices("turned_down", "cd"),
            devices("headset", "earpiece"),
            devices("disc.monitor", "disc"),
        )
        whole.whole("output", "input-volume", "output-volume", "input-rate", "output-rate")
        whole.broken("input", "exact zeros", "nobody will hear you")
        muted.broken("input-volume", "the microphone dumb is muted")
        muted.broken("output-volume", "the volume of the speaker right is 0")
        silent.broken("input-volume", "the volume of the microphone turned_down is 0")
        silent.broken("output-volume", "the speaker cd is muted")
        slow.broken("input-rate", "headset runs at 8000 Hz", "all above 4000 Hz is missing")
        slow.broken("output-rate", "earpiece runs at 8000 Hz")
        disc.warned("output-rate", "disc runs at 44100 Hz")
        disc.warned("input", "monitor of a speaker")

        for found in (muted, silent):
            for volume in ("input-volume", "output-volume"):
                pactl, *arguments = found.command(volume, "pactl")
                assert pactl == "pactl"
                server.control(*arguments)
        for mended in await together(devices("dumb", "right"), devices("turned_down", "cd")):
            mended.whole("input-volume", "output-volume")

        Found.of(sound_server.look(situation(tmp_path))).whole("sound-server", "alsa-plugin")
        monkeypatch.setenv("ALSA_PLUGIN_DIR", str(tmp_path))
        missing = Found.of(sound_server.look(situation(tmp_path)))
        missing.broken("alsa-plugin", "plugin that leads to it is missing", "libasound2-plugins")
        missing.whole("sound-server")
