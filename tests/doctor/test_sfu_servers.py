"""SFUs that doctor finds usable, or broken with what to do."""

from pathlib import Path

from blink_cli.core.api.session_options import SessionOptions
from blink_cli.doctor import sfu_servers
from blink_cli.lab.janus_server import JanusServer
from tests.doctor.parts import Found, situation


async def found(folder: Path, *urls: str) -> Found:
    return Found.of(await sfu_servers.look(situation(folder, SessionOptions(sfus=urls))))


async def test_servers_are_told_apart(tmp_path: Path) -> None:
    with JanusServer() as janus:
        nobody = "ws://127.0.0.1:9"
        both = await found(tmp_path, janus.url, nobody)
    both.whole(f"sfu:{janus.url}")
    assert "media connected in" in both[f"sfu:{janus.url}"]["found"]
    both.broken(f"sfu:{nobody}", "cannot be reached", "WebSocket")


async def test_one_that_wants_a_secret_is_told(tmp_path: Path) -> None:
    with JanusServer(api_secret="known to nobody") as janus:
        (await found(tmp_path, janus.url)).broken(f"sfu:{janus.url}", "refused: Unauthorized", "`api_secret`")


async def test_nothing_is_contacted_where_none_is_named(tmp_path: Path) -> None:
    (await found(tmp_path)).whole("sfu")
