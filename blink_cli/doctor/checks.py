"""Which checks there are, in the order in which their findings are shown."""

from collections.abc import Sequence
from typing import Final

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
from blink_cli.doctor.check import Check, blocking, computing

_BESIDE_EACH_OTHER: Final = (
    blocking(python_version.NAME, python_version.look),
    computing(libraries.NAME, libraries.look, libraries.ALL_S + 1.0),
    computing(opus_library.NAME, opus_library.look),
    blocking(profile_folder.PROFILE, profile_folder.look),
    blocking(running_session.NAME, running_session.look),
    blocking(terminal.NAME, terminal.look),
    computing(portaudio_library.NAME, portaudio_library.look),
    blocking(sound_server.NAME, sound_server.look),
    blocking(sound_cards.NAME, sound_cards.look),
    blocking(audio_devices.NAME, audio_devices.look),
    blocking(interfaces.NAME, interfaces.look),
    blocking(udp_port.NAME, udp_port.look),
    blocking(multicast.NAME, multicast.look),
    Check(discovery.NAME, discovery.look),
    blocking(firewall.NAME, firewall.look),
    Check(ice.NAME, ice.look),
    Check(signal_servers.NAME, signal_servers.look),
    Check(sfu_servers.NAME, sfu_servers.look),
    blocking(clock.NAME, clock.look),
)

_ALONE: Final = (blocking(processor.SPEED, processor.look),)
"""What is measured while others compute says nothing of the machine."""

PHASES: Final = (_BESIDE_EACH_OTHER, _ALONE)


def chosen_phases(names: Sequence[str]) -> tuple[tuple[Check, ...], ...]:
    """Return the checks of these names, in their phases; all of them where none is named.

    Raises:
        UsageError: There is no such check.

    """
    known = [check.name for checks in PHASES for check in checks]
    for name in names:
        if name not in known:
            raise UsageError(f"There is no check {name!r}.", hint=f"There are {', '.join(known)}.")
    return tuple(tuple(check for check in checks if not names or check.name in names) for checks in PHASES)
