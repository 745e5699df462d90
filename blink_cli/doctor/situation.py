"""What the checks look at."""

from dataclasses import dataclass
from typing import Literal

from blink_cli.app.profile.device_memory import DeviceMemory
from blink_cli.app.profile.profile import Profile
from blink_cli.app.profile.settings import Settings, load_settings
from blink_cli.core.api.ice_server import ConfiguredServer
from blink_cli.core.api.replies.network import IceServerList, NetworkUse
from blink_cli.core.api.replies.peers import Peers
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.errors import BlinkError


@dataclass(frozen=True, slots=True)
class RunningSession:
    """What the profile's session says of itself."""

    status: Status
    peers: Peers
    ice_servers: IceServerList | None
    """None: it is still asking them."""

    version: str | None
    """Of the program that runs it; None: of this very process."""


@dataclass(frozen=True, slots=True)
class SessionTrouble:
    """A session holds the profile, and does not answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class Situation:
    """One profile on this machine at one moment."""

    profile: Profile
    options: SessionOptions
    """What a session would be started with, besides the settings."""

    settings: Settings | BlinkError
    """Or what is wrong with them."""

    session: RunningSession | SessionTrouble | None
    """The one that runs."""

    version: str
    """Of this program."""

    @property
    def running(self) -> RunningSession | None:
        """The session that runs and answers."""
        return self.session if isinstance(self.session, RunningSession) else None

    def device(self, direction: Literal["input", "output"]) -> str:
        """Return the name of the device that is chosen: by the options, the running session, or the profile's memory. Reads a file."""
        wanted = self.options.input if direction == "input" else self.options.output
        if wanted is not None:
            return wanted
        if (running := self.running) is not None:
            status = running.status
            if direction == "input":
                return status.missed_input or status.input
            return status.missed_output or status.output
        return DeviceMemory(self.profile).chosen(direction) or "default"

    @property
    def network(self) -> NetworkUse:
        """What is used of the network: as the options say, else as the running session was told."""
        told = self.running.status.network if self.running is not None else None
        defaults, options = SessionOptions(), self.options
        if told is None:
            told = NetworkUse(group=defaults.group, interfaces=(), discovery=True)
        return NetworkUse(
            group=told.group if options.group == defaults.group else options.group,
            interfaces=options.interfaces or told.interfaces,
            discovery=options.discovery and told.discovery,
        )

    @property
    def relay_only(self) -> bool:
        """Whether audio may go through TURN servers only."""
        if self.options.ice_transport is not None:
            return self.options.ice_transport == "relay"
        if self.running is not None and self.running.ice_servers is not None:
            return self.running.ice_servers.transport == "relay"
        return isinstance(self.settings, Settings) and self.settings.ice_transport == "relay"

    @property
    def ice_servers(self) -> tuple[ConfiguredServer, ...]:
        """Those that the options or the settings name, with their credentials."""
        if self.options.ice_servers or isinstance(self.settings, BlinkError):
            return self.options.ice_servers
        return tuple(section.server() for section in self.settings.ice_servers)


def settings_of(profile: Profile) -> Settings | BlinkError:
    """Read the profile's settings, or say what is wrong with them. Blocks for a moment."""
    try:
        return load_settings(profile.settings_path)
    except BlinkError as mistake:
        return mistake
