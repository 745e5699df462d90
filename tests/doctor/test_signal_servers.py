"""Signal servers that doctor finds usable, or broken with what to do."""

from pathlib import Path

import pytest

from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.signal_server import parse_signal_server
from blink_cli.doctor import signal_servers
from blink_cli.lab.nats_server import NatsServer
from blink_cli.lab.server_process import free_port
from tests.doctor.parts import Found, situation

pytestmark = pytest.mark.real_time


async def found(folder: Path, *urls: str, credentials: str | None = None) -> Found:
    options = SessionOptions(
        signal_servers=tuple(map(parse_signal_server, urls)), signal_credentials=credentials
    )
    return Found.of(await signal_servers.look(situation(folder, options)))


async def test_servers_are_told_apart(tmp_path: Path) -> None:
    with NatsServer(tmp_path, "--user", "anna", "--pass", "secret") as server:
        here = f"127.0.0.1:{server.port}"
        nobody = f"127.0.0.1:{free_port()}"
        right = await found(tmp_path, f"nats://anna:secret@{here}")
        wrong = await found(tmp_path, f"nats://anna:guess@{here}", f"nats://{nobody}")
        plain = await found(tmp_path, f"tls://anna:secret@{here}")
    right.whole(f"signal-server:nats://{here}")
    assert "there and back in" in right[f"signal-server:nats://{here}"]["found"]
    wrong.broken(f"signal-server:nats://{here}", "refuses this session's credentials", "Join anew")
    wrong.broken(f"signal-server:nats://{nobody}", "refuses connections", "blink broker run")
    plain.broken(f"signal-server:tls://{here}", "offers no TLS", "Give the server a certificate")
    assert "secret" not in str([right._rows, wrong._rows, plain._rows])


async def test_nothing_is_contacted_where_none_is_named(tmp_path: Path) -> None:
    (await found(tmp_path)).whole("signal-server")


async def test_credentials_that_are_none_are_told(tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    seed.write_text("hello", encoding="utf-8")
    broken = await found(tmp_path, "nats://127.0.0.1:1", credentials=str(seed))
    broken.broken("signal-server", "credentials for the signal servers cannot be read", "begins with SU")


@pytest.mark.parametrize("problem", ["does not answer within 2 s", "cannot be used: unexpected EOF"])
def test_what_has_no_remedy_of_its_own_is_looked_at(problem: str) -> None:
    assert "that TCP passes to it" in signal_servers.remedy_of(problem)
