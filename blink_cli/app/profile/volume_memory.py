"""Remembers how loud a profile plays each peer, across calls and sessions."""

import threading
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from blink_cli.app.profile.profile import Profile
from blink_cli.core.audio_format import HIGHEST_GAIN_DB, LOWEST_GAIN_DB
from blink_cli.core.errors import UsageError
from blink_cli.core.identity.did import public_key_of
from blink_cli.core.ids import Did
from blink_cli.core.media.peer_volume import AS_IT_COMES, PeerVolume
from blink_cli.core.text.json_text import decode_json, encode_json
from blink_cli.files.reading import read_whole
from blink_cli.files.writing import write_over

MOST_PEERS: Final = 1_000
"""The ones that were set last are kept."""

_MOST_BYTES: Final = 262_144


class _Volume(msgspec.Struct, frozen=True, omit_defaults=True):
    gain_db: Annotated[float, msgspec.Meta(ge=LOWEST_GAIN_DB, le=HIGHEST_GAIN_DB)] = 0.0
    muted: bool = False


class _Document(msgspec.Struct, frozen=True):
    peers: dict[str, _Volume] = {}
    """By DID, in the order in which they were set."""


_DOCUMENT: Final = msgspec.json.Decoder(_Document)


class VolumeMemory:
    """`volumes.json` beside the profile's key. Blocks for as long as the disk does; any thread."""

    def __init__(self, profile: Profile) -> None:
        self._path = profile.data_dir / "volumes.json"
        self._writing = threading.Lock()

    def volumes(self) -> dict[Did, PeerVolume]:
        """Of every peer for which something was chosen, the newest last; nothing when the file is not there or cannot be read."""
        try:
            document = decode_json(read_whole(self._path, _MOST_BYTES), _DOCUMENT)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}
        return {
            Did(did): PeerVolume(volume.gain_db, volume.muted)
            for did, volume in document.peers.items()
            if _is_did(did)
        }

    def remember(self, volumes: Mapping[Did, PeerVolume]) -> None:
        """Keep all that is chosen now.

        Raises:
            OSError: The profile cannot be written.

        """
        chosen = [(did, volume) for did, volume in volumes.items() if volume != AS_IT_COMES]
        with self._writing:
            write_over(
                self._path,
                encode_json(
                    _Document({did: _Volume(one.gain_db, one.muted) for did, one in chosen[-MOST_PEERS:]})
                ),
            )


def _is_did(text: str) -> bool:
    try:
        public_key_of(text)
    except UsageError:
        return False
    return True
