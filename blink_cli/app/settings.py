"""A profile's settings: `settings.toml` beside its key, written by its owner, read when a session starts.

nickname = "alice"
ice_transport = "all"      # all, relay

[codec]
bitrate = 32000            # bits a second, 6000 to 510000
frame_ms = 20              # 10, 20, 40, 60
bandwidth = "auto"         # auto, narrow, medium, wide, superwide, full
application = "voip"       # voip, audio, lowdelay
fec = true
dtx = false
redundancy = "auto"        # "auto", "0", "1", "2"

[[ice_servers]]            # up to 16, in the order of preference
url = "turn:turn.example.org:3478"
username = "alice"
credential = "secret"      # or secret = "…": credentials that are made for each use
"""

import dataclasses
import tomllib
from pathlib import Path
from typing import Annotated, Final

import msgspec

from blink_cli.core.codec_settings import Application, Bandwidth, CodecSettings, Redundancy
from blink_cli.core.errors import UsageError
from blink_cli.core.ice_server import MAX_ICE_SERVERS, ConfiguredServer, parse_ice_server
from blink_cli.core.session_options import CodecOptions, IceTransport

MAX_SETTINGS_BYTES: Final = 65_536
"""More is not a settings file."""


class CodecSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[codec]` section."""

    bitrate: int = 32_000
    frame_ms: int = 20
    bandwidth: Bandwidth = "auto"
    application: Application = "voip"
    fec: bool = True
    dtx: bool = False
    redundancy: Redundancy = "auto"

    def __post_init__(self) -> None:
        """Check it while the file is read, so that a mistake is told with the file's name."""
        try:
            self.with_options(CodecOptions())
        except UsageError as mistake:
            raise ValueError(f"{mistake.message.removesuffix('.')}: {mistake.hint}") from mistake

    def with_options(self, options: CodecOptions) -> CodecSettings:
        """What a session uses: the command line's word before the file's.

        Raises:
            UsageError: A value is out of range.

        """
        given = {name: value for name, value in dataclasses.asdict(options).items() if value is not None}
        values = msgspec.structs.asdict(self) | given
        values["bitrate_bps"] = values.pop("bitrate")
        return CodecSettings(**values)


class IceServerSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[ice_servers]]` entry."""

    url: Annotated[str, msgspec.Meta(max_length=512)]
    username: str | None = None
    credential: str | None = None
    secret: str | None = None
    """Shared with the server, in place of a credential (docs/ice.md)."""

    def __post_init__(self) -> None:
        """Check it while the file is read, so that a mistake is told with the file's name."""
        try:
            self.server()
        except UsageError as mistake:
            raise ValueError(mistake.message.removesuffix(".")) from mistake

    def server(self) -> ConfiguredServer:
        """The server that it names."""
        return parse_ice_server(
            self.url, username=self.username, credential=self.credential, secret=self.secret
        )


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in the file, and defaults for what does not."""

    nickname: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    codec: CodecSection = CodecSection()
    ice_servers: Annotated[tuple[IceServerSection, ...], msgspec.Meta(max_length=MAX_ICE_SERVERS)] = ()
    ice_transport: IceTransport = "all"


def load_settings(path: Path) -> Settings:
    """Read the profile's settings; all defaults where there is no file.

    Raises:
        UsageError: The file cannot be read, is not TOML, or has a wrong or unknown field; the sentence names file and field.

    """
    try:
        if path.stat().st_size > MAX_SETTINGS_BYTES:
            raise UsageError(f"{path} is too large for a settings file.")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(
            f"{path} is not TOML: {error}.", hint="docs/settings.md shows every setting."
        ) from error
    try:
        return msgspec.convert(content, Settings)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {error}.", hint="docs/settings.md shows every setting.") from error
