"""How a real Janus is told who may use it: secret, token, key, certificate; and that none of them shows."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from blink_cli.app.media.room.sfu_question import ask_sfu
from blink_cli.broker.broker_folder import make_broker_folder
from blink_cli.core.api.sfu_server import NamedSfus, SfuAccess
from blink_cli.core.media.room import room_place
from blink_cli.lab.janus_server import JanusServer, signed_token
from blink_cli.net.sfu import video_room
from blink_cli.net.sfu.janus_session import JanusSession, SfuError
from blink_cli.runtime.tasks import TaskOwner

SECRET = "a-secret-of-all"


@pytest_asyncio.fixture
async def tasks() -> AsyncIterator[TaskOwner]:
    async with TaskOwner("test") as owner:
        yield owner


async def test_its_secret_opens_it_and_a_token_does(caplog: pytest.LogCaptureFixture) -> None:
    token = signed_token("signs-tokens")
    with JanusServer(api_secret=SECRET, token_secret="signs-tokens") as janus, caplog.at_level(logging.DEBUG):
        for right in (SfuAccess(api_secret=SECRET), SfuAccess(token=token)):
            assert (await ask_sfu(janus.url, right)).problem is None
        for wrong in (SfuAccess(), SfuAccess(api_secret="another"), SfuAccess(token=token + "x")):
            assert "Unauthorized request" in str((await ask_sfu(janus.url, wrong)).problem)
        assert not any(one in caplog.text for one in (SECRET, token)), "in no log, whatever its level"


async def test_rooms_are_made_by_who_has_the_key_and_entered_by_who_has_not(tasks: TaskOwner) -> None:
    def nobody(reason: str) -> None:
        raise AssertionError(reason)

    with JanusServer(admin_key="makes-rooms") as janus:
        place = room_place(janus.url, b"k" * 32)
        async with JanusSession(janus.url, tasks, lost=nobody) as session:
            for wrong in (None, "another"):
                with pytest.raises(SfuError, match="admin_key"):
                    await video_room.enter(await session.attach(), place, admin_key=wrong)
            made = await video_room.enter(await session.attach(), place, admin_key="makes-rooms")
            assert made.secret is not None
            guest = await video_room.enter(await session.attach(), place)
            assert guest.secret is None


async def test_a_certificate_of_ones_own_is_believed_where_it_is_named(tmp_path: Path) -> None:
    make_broker_folder(tmp_path / "made", ["127.0.0.1"], 4222)
    certificate = tmp_path / "made" / "certificate.pem"
    with JanusServer(certificate=(certificate, tmp_path / "made" / "key.pem")) as janus:
        ca_pem = certificate.read_text()
        assert janus.url.startswith("wss://")
        assert (await ask_sfu(janus.url, SfuAccess(ca_pem=ca_pem))).problem is None
        assert str((await ask_sfu(janus.url, SfuAccess())).problem).startswith("shows a certificate")
        assert "cannot be judged" in str((await ask_sfu(janus.url, SfuAccess(ca_pem="rubbish"))).problem)
        other_name = janus.url.replace("127.0.0.1", "localhost")
        assert "certificate" in str((await ask_sfu(other_name, SfuAccess(ca_pem=ca_pem))).problem)


def test_a_server_of_others_is_told_no_secret_of_ours() -> None:
    named = NamedSfus(("wss://ours",), SfuAccess("pem", SECRET, "a token", "a key"))

    assert named.access_to("wss://ours") == named.access
    assert named.access_to("wss://theirs") == SfuAccess()
    assert not any(secret in repr(named) for secret in (SECRET, "a token", "a key"))
