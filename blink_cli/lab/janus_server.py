"""A real Janus with VideoRoom for a test or a bench: a folder of settings, a port and a process of its own; it can be frozen, killed and started again.

    with JanusServer() as janus:
        janus.url                     as `--sfu` takes it
        janus.kill()                  nothing is said to anybody

Janus 1.1 is in Debian 12 and not in Debian 13 (docs/sfu.md). It offers no candidate of loopback: the machine needs another address.
"""

import base64
import hmac
import os
import socket
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from typing_extensions import override

from blink_cli.lab.network.laboratory import Host
from blink_cli.lab.requirements import require_program
from blink_cli.lab.server_process import ServerProcess

_TICKS: Final = os.sysconf("SC_CLK_TCK")

_SETTINGS: Final = """\
general: {{
    configs_folder = "{folder}"
    debug_level = {debug_level}
    log_to_stdout = true
    server_name = "blink-test"
    session_timeout = {session_timeout_s}
    {secret_lines}
}}
nat: {{
    ice_enforce_list = "{interface}"
    ice_lite = false
    full_trickle = false
}}
plugins: {{
    disable = "{unused_plugins}"
}}
transports: {{
    disable = "{unused_transports}"
}}
"""

_WEBSOCKETS: Final = """\
general: {{
    json = "compact"
    ws = {plain}
    ws_ip = "{address}"
    ws_port = {port}
    wss = {protected}
    wss_ip = "{address}"
    wss_port = {port}
}}
certificates: {{
    {certificate_lines}
}}
admin: {{
    admin_ws = false
}}
"""

_VIDEO_ROOM: Final = """\
general: {{
    {admin_key_line}
}}
"""

_UNUSED_PLUGINS: Final = ",".join(
    f"libjanus_{name}.so"
    for name in (
        *("audiobridge", "duktape", "echotest", "lua", "nosip", "recordplay", "sip"),
        *("streaming", "textroom", "videocall", "voicemail"),
    )
)
_UNUSED_TRANSPORTS: Final = ",".join(
    f"libjanus_{name}.so" for name in ("http", "mqtt", "nanomsg", "pfunix", "rabbitmq")
)
"""One that finds no settings may take the whole server down as it is unloaded."""


class JanusServer(ServerProcess):
    """One process, from `__enter__` to `__exit__`."""

    def __init__(
        self,
        *,
        port: int | None = None,
        host: Host | None = None,
        api_secret: str | None = None,
        token_secret: str | None = None,
        admin_key: str | None = None,
        certificate: tuple[Path, Path] | None = None,
        session_timeout_s: int = 10,
        debug_level: int = 3,
    ) -> None:
        """Describe a server.

        Args:
            port: Of its WebSocket; None for one that is free.
            host: Of a laboratory, on which it runs; None for this machine.
            api_secret: Without which it takes nothing; None for none.
            token_secret: It takes tokens that are signed with this (`signed_token`), too; None for none.
            admin_key: Without which it makes no room; None for none.
            certificate: PEM files of its certificate and key: then it speaks TLS alone.
            session_timeout_s: After which it forgets a client that says nothing.
            debug_level: 0 to 7; 7 logs every message.

        """
        self._own_folder = tempfile.TemporaryDirectory(prefix="blink-janus-")
        super().__init__(Path(self._own_folder.name), "janus", port=port, host=host)
        self._secrets = {
            "api_secret": api_secret,
            "token_auth": None if token_secret is None else "true",
            "token_auth_secret": token_secret,
        }
        self._admin_key = admin_key
        self._certificate = certificate
        self._session_timeout_s = session_timeout_s
        self._debug_level = debug_level

    @property
    def url(self) -> str:
        """As `--sfu` takes it."""
        scheme = "ws" if self._certificate is None else "wss"
        return f"{scheme}://{self.address}:{self.port}"

    @property
    def media_address(self) -> str:
        """Where its media are: sessions on this machine must use this address too (`Machine(interface=…)`), for from loopback none is reached."""
        return _address_of_this_machine() if self._host is None else self._host.address

    @property
    def log(self) -> str:
        """What it logged so far."""
        return self._log_text

    @property
    def processor_s(self) -> float:
        """Processor time that it has used since its start."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @override
    def _command(self) -> Sequence[str]:
        program = require_program("janus", debian_package="janus, which Debian 13 has not")
        folder = self._folder
        (folder / "janus.jcfg").write_text(
            _SETTINGS.format(
                folder=folder,
                debug_level=self._debug_level,
                session_timeout_s=self._session_timeout_s,
                secret_lines=_lines(self._secrets),
                interface=self.media_address,
                unused_plugins=_UNUSED_PLUGINS,
                unused_transports=_UNUSED_TRANSPORTS,
            )
        )
        (folder / "janus.transport.websockets.jcfg").write_text(
            _WEBSOCKETS.format(
                address=self.address,
                port=self.port,
                plain="true" if self._certificate is None else "false",
                protected="false" if self._certificate is None else "true",
                certificate_lines=_lines(
                    dict(zip(("cert_pem", "cert_key"), map(str, self._certificate or ()), strict=False))
                ),
            )
        )
        (folder / "janus.plugin.videoroom.jcfg").write_text(
            _VIDEO_ROOM.format(admin_key_line=_lines({"admin_key": self._admin_key}))
        )
        return (program, "-F", str(folder), "-C", str(folder / "janus.jcfg"))

    @override
    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, failure, trace)
        self._own_folder.cleanup()


def signed_token(token_secret: str, *, valid_s: float = 3600.0) -> str:
    """Return a token that a server with this `token_secret` takes. Source: Janus's documentation, "Stored and signed tokens"."""
    told = f"{int(time.time() + valid_s)},janus,janus.plugin.videoroom"
    signature = hmac.digest(token_secret.encode(), told.encode(), "sha1")
    return f"{told}:{base64.b64encode(signature).decode()}"


def _lines(values: Mapping[str, str | None]) -> str:
    """Settings of libconfig, those that have a value."""
    return "\n    ".join(
        f"{name} = {value}" if value == "true" else f'{name} = "{value}"'
        for name, value in values.items()
        if value is not None
    )


def _address_of_this_machine() -> str:
    """Return an address beside loopback's: that from which packets would leave. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        address: str = probe.getsockname()[0]
        return address
