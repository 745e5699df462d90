"""Which copy of libopus a session codes with, as `status` shows it."""

from blink_cli.audio.opus.choice import Copy
from blink_cli.audio.opus.library import used_library
from blink_cli.audio.playout.concealment_kind import concealment
from blink_cli.core.api.replies.codec import OpusCopy, OpusLibraries
from blink_cli.core.errors import DeviceError


def opus_libraries() -> OpusLibraries | None:
    """What was found; None if nothing works, which a call says when it begins. Blocks for 30 ms the first time, while all are tried."""
    try:
        found = used_library()
    except DeviceError:
        return None
    working = (_shown(one) for one in found.others)
    broken = (OpusCopy(path=one.path, origin=one.origin, passed_over=one.reason) for one in found.passed_over)
    return OpusLibraries(used=_shown(found.used), concealment=concealment(), others=(*working, *broken))


def dred_version() -> int | None:
    """Which version of DRED this session writes and reads; None without."""
    try:
        return used_library().used.abilities.dred_version
    except DeviceError:
        return None


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
