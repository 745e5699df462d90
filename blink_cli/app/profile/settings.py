"""A profile's settings: `settings.toml` beside its key, written by its owner, read when a session starts.

nickname = "alice"
ice_transport = "all"      # all, relay

[codec]
bitrate = 32000            # bits a second, 6000 to 510000
frame_ms = 20              # 2.5, 5, 10, 20, 40, 60
bandwidth = "auto"         # auto, narrow, medium, wide, superwide, full
application = "voip"       # voip, audio, lowdelay
fec = "auto"               # auto, on, off; or true (auto), false (off)
dtx = false
cbr = false                # every packet equally long
redundancy = "auto"        # "auto", "0" to "4"
redundancy_budget = 0      # kilobits a second for each peer, copies included; 0: no bound
complexity = 10            # 0 to 10
stereo = false             # two channels

[processing]               # what is done to the microphone's sound
echo_cancel = "auto"       # auto, on, off
noise_suppress = "off"     # off, low, high
auto_gain = false
automute = false

[signal]                   # servers that carry signals past the network; of one cluster
servers = ["tls://broker.example.org:4222"]
ca = "ca.pem"              # who signed their certificates; beside this file
credentials = "blink.creds"   # NATS credentials, or an nkey seed
multicast = true           # signals go by multicast too

[sfu]                      # through which larger calls go
url = ["wss://sfu.example.org:8989"]   # or one text; "any": also those that others name
above = 8                  # participants up to which a call goes by direct connections all the same
heard_at_once = 4          # voices, in a room
ca = "ca.pem"              # who signed their certificates; beside this file
api_secret = "…"           # Janus's; or token = "…": one of its tokens
admin_key = "…"            # VideoRoom's

[[ice_servers]]            # up to 16, in the order of preference
url = "turn:turn.example.org:3478"
username = "alice"
credential = "secret"      # or secret = "…": credentials that are made for each use
"""

import tomllib
from pathlib import Path
from typing import Annotated, Final

import msgspec

from blink_cli.app.profile.settings_mistake import mistake_in
from blink_cli.core.api.ice_server import MAX_ICE_SERVERS, ConfiguredServer, parse_ice_server
from blink_cli.core.api.session_options import CodecOptions, IceTransport, SessionOptions
from blink_cli.core.api.sfu_server import MAX_SFUS, parse_sfus
from blink_cli.core.api.signal_server import MAX_SIGNAL_SERVERS, parse_signal_server
from blink_cli.core.call.room_policy import DEFAULT_ABOVE, RoomPolicy
from blink_cli.core.errors import UsageError
from blink_cli.core.ids import MAX_MESH, MAX_PARTICIPANTS
from blink_cli.core.media.codec_settings import Application, Bandwidth, CodecSettings, Fec, Redundancy
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress, ProcessingSettings
from blink_cli.core.media.room import MAX_URL_CHARS
from blink_cli.core.media.room_slots import HEARD_AT_ONCE
from blink_cli.core.text.decoding_mistake import mistake_of
from blink_cli.files.reading import read_whole

MAX_SETTINGS_BYTES: Final = 65_536
"""More is not a settings file."""

_MOST_SECRET_CHARS: Final = 4096
"""A token with a signature is long; a server takes no longer message from us."""


class CodecSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[codec]` section."""

    bitrate: int = 32_000
    frame_ms: float = 20
    bandwidth: Bandwidth = "auto"
    application: Application = "voip"
    fec: bool | Fec = "auto"
    dtx: bool = False
    cbr: bool = False
    redundancy: Redundancy = "auto"
    redundancy_budget: int = 0
    complexity: int = 10
    stereo: bool = False

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
        given = {name: value for name, value in msgspec.structs.asdict(options).items() if value is not None}
        values = msgspec.structs.asdict(self) | given
        values["bitrate_bps"] = values.pop("bitrate")
        values["redundancy_budget_kbps"] = values.pop("redundancy_budget")
        if isinstance(values["fec"], bool):
            values["fec"] = "auto" if values["fec"] else "off"
        if float(values["frame_ms"]).is_integer():
            values["frame_ms"] = int(values["frame_ms"])
        return CodecSettings(**values)


class ProcessingSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[processing]` section."""

    echo_cancel: EchoCancel = EchoCancel.AUTO
    noise_suppress: NoiseSuppress = NoiseSuppress.OFF
    auto_gain: bool = False
    automute: bool = False

    def settings(self) -> ProcessingSettings:
        """What a session begins with where nobody chose otherwise."""
        return ProcessingSettings(**msgspec.structs.asdict(self))


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


class SignalSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[signal]` section."""

    servers: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=512)], ...], msgspec.Meta(max_length=MAX_SIGNAL_SERVERS)
    ] = ()
    ca: str | None = None
    credentials: str | None = None
    multicast: bool = True

    def __post_init__(self) -> None:
        """Check it while the file is read, so that a mistake is told with the file's name."""
        try:
            for text in self.servers:
                parse_signal_server(text)
        except UsageError as mistake:
            raise ValueError(mistake.message.removesuffix(".")) from mistake


class SfuSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[sfu]` section."""

    url: (
        Annotated[str, msgspec.Meta(max_length=MAX_URL_CHARS)]
        | Annotated[
            tuple[Annotated[str, msgspec.Meta(max_length=MAX_URL_CHARS)], ...],
            msgspec.Meta(max_length=MAX_SFUS + 1),
        ]
    ) = ()
    above: Annotated[int, msgspec.Meta(ge=1, lt=MAX_MESH)] = DEFAULT_ABOVE
    heard_at_once: Annotated[int, msgspec.Meta(ge=1, le=MAX_PARTICIPANTS)] = HEARD_AT_ONCE
    ca: str | None = None
    api_secret: Annotated[str, msgspec.Meta(min_length=1, max_length=_MOST_SECRET_CHARS)] | None = None
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=_MOST_SECRET_CHARS)] | None = None
    admin_key: Annotated[str, msgspec.Meta(min_length=1, max_length=_MOST_SECRET_CHARS)] | None = None

    def __post_init__(self) -> None:
        """Check it while the file is read, so that a mistake is told with the file's name."""
        try:
            parse_sfus(self.urls)
        except UsageError as mistake:
            raise ValueError(mistake.message.removesuffix(".")) from mistake

    @property
    def urls(self) -> tuple[str, ...]:
        """As words: `any` may be among them."""
        return (self.url,) if isinstance(self.url, str) else self.url

    def with_options(self, options: SessionOptions) -> RoomPolicy:
        """What a session uses: the command line's word before the file's."""
        urls, takes_any = parse_sfus(options.sfus or self.urls)
        return RoomPolicy(urls, takes_any=takes_any, above=self.above)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in the file, and defaults for what does not."""

    nickname: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    codec: CodecSection = CodecSection()
    processing: ProcessingSection = ProcessingSection()
    ice_servers: Annotated[tuple[IceServerSection, ...], msgspec.Meta(max_length=MAX_ICE_SERVERS)] = ()
    ice_transport: IceTransport = "all"
    signal: SignalSection = SignalSection()
    sfu: SfuSection = SfuSection()


def load_settings(path: Path) -> Settings:
    """Read the profile's settings; all defaults where there is no file.

    Raises:
        UsageError: The file cannot be read, is not TOML, or has a wrong or unknown field; the sentence names file and field.

    """
    try:
        content = tomllib.loads(read_whole(path, MAX_SETTINGS_BYTES).decode())
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"{path} {mistake_of(error).what}.", hint="`docs/settings.md` shows every setting."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{path} is not TOML: {error}.", hint="`docs/settings.md` shows every setting."
        ) from error
    try:
        return msgspec.convert(content, Settings)
    except msgspec.ValidationError as error:
        # Where each value alone is right, the sentence is that of the rule which joins them; msgspec adds the place.
        what = mistake_in(content, Settings) or str(error).partition(" - at `$")[0]
        raise UsageError(f"{path}: {what}.", hint="`docs/settings.md` shows every setting.") from error
