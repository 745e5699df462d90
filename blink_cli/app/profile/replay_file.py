"""Hands on what a session has seen to the next one of its profile: `seen.msgpack`, mode 0600.

    begin    take    read, and remove: from now on it is not the whole truth
    end      leave   write, whole or not at all

A session that crashed leaves none; then the next one asks everybody for a proof (core/signaling/replay.py). Both block for as long as the disk does:
call them off the event loop.
"""

import logging
import stat
from pathlib import Path

from blink_cli.core.signaling.replay_memory import (
    MAX_MEMORY_BYTES,
    ReplayMemory,
    decode_memory,
    encode_memory,
)
from blink_cli.files.reading import NotPrivateError, read_private
from blink_cli.files.writing import sync_folder, write_over

_log = logging.getLogger(__name__)


class ReplayFile:
    """Of one profile, whose lock the session holds."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def take(self) -> ReplayMemory | None:
        """What the last session has seen; None when it left nothing that can be trusted. Nobody gets it twice."""
        try:
            encoded = read_private(self._path, MAX_MEMORY_BYTES)
        except FileNotFoundError:
            return None
        except (OSError, NotPrivateError) as reason:
            _log.warning(
                "%s is not used (%s). Peers are asked to prove their clocks instead.", self._path, reason
            )
            encoded = b""
        try:
            self._remove()
        except OSError as reason:
            _log.warning("%s cannot be removed (%s), and so is not used.", self._path, reason)
            return None
        return decode_memory(encoded)

    def leave(self, memory: ReplayMemory) -> None:
        """Write what this session has seen. Where that cannot be, the next one asks everybody."""
        try:
            write_over(self._path, encode_memory(memory))
        except OSError as reason:
            _log.warning(
                "%s cannot be written (%s). The next session asks peers to prove their clocks.",
                self._path,
                reason,
            )

    def _remove(self) -> None:
        if not stat.S_ISDIR(self._path.lstat().st_mode):
            self._path.unlink()
            sync_folder(self._path.parent)
