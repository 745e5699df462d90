"""Which copy of libopus a session codes with, as `status` shows it."""

from blink_cli.audio.opus import Copy, used_library
from blink_cli.core.api.replies import OpusCopy, OpusLibraries
from blink_cli.core.errors import DeviceError


def opus_libraries() -> OpusLibraries | None:
    """What was found; None if nothing works, which a call says when it begins. Blocks for 20 ms the first time, while all are tried."""
    try:
        found = used_library()
    except DeviceError:
        return None
    working = (_shown(one) for one in found.others)
    broken = (OpusCopy(path=one.path, origin=one.origin, passed_over=one.reason) for one in found.passed_over)
    return OpusLibraries(used=_shown(found.used), others=(*working, *broken))


def _shown(copy: Copy) -> OpusCopy:
    can = copy.abilities
    return OpusCopy(
        path=copy.path,
        origin=copy.origin,
        name=can.version,
        deep_plc=can.deep_plc,
        dred=can.dred,
        osce=can.osce,
    )
