"""docs/doctor.md names every check and every finding, and the checks are told apart by their names."""

from pathlib import Path

import pytest

from blink_cli.app.profile.profile_lock import LOCK_NAME
from blink_cli.core.errors import UsageError
from blink_cli.doctor import (
    audio_devices,
    clock,
    discovery,
    firewall,
    ice,
    interfaces,
    libraries,
    multicast,
    opus_library,
    portaudio_library,
    processor,
    profile_folder,
    python_version,
    running_session,
    sfu_servers,
    signal_servers,
    sound_cards,
    sound_server,
    terminal,
    udp_port,
)
from blink_cli.doctor.checks import PHASES, chosen_phases
from blink_cli.runtime.extras import PROGRAM

pytestmark = pytest.mark.no_clock

PAGE = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()
MODULES = (
    audio_devices, clock, discovery, firewall, ice, interfaces, libraries, multicast, opus_library, portaudio_library, processor,
    profile_folder, python_version, running_session, sfu_servers, signal_servers, sound_cards, sound_server, terminal, udp_port,
)  # fmt: skip
NOT_NAMES = {libraries.ASKED, PROGRAM, LOCK_NAME}


def test_every_check_is_told() -> None:
    names = [check.name for checks in PHASES for check in checks]
    assert len(names) == len(set(names))
    for name in names:
        assert f"\n| `{name}` |" in PAGE, name


def test_every_finding_is_told() -> None:
    names = {
        value
        for module in MODULES
        for constant, value in vars(module).items()
        if constant.isupper() and not constant.startswith("_") and isinstance(value, str)
    } - NOT_NAMES
    assert len(names) > 25
    for name in names:
        assert f"`{name}" in PAGE, name


def test_some_checks_are_chosen_in_their_order() -> None:
    phases = chosen_phases(["processor", "clock", "python"])
    assert [[check.name for check in checks] for checks in phases] == [["python", "clock"], ["processor"]]
    assert chosen_phases([]) == PHASES
    with pytest.raises(UsageError, match="no check 'clocks'"):
        chosen_phases(["clocks"])
