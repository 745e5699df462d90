"""A session as a program holds it: opened or reached, by the same methods, with the same errors."""

import asyncio
import inspect
import logging
import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import assert_type

import numpy as np
import pytest

import blink_cli as blink
from blink_cli.api.opening import connect, hosted_session
from blink_cli.app.profile.profile import find_profile
from blink_cli.core.api.events import CallJoined, EndReason, IncomingCall, PeerAppeared, TalkingStarted
from blink_cli.core.api.replies.calls import CurrentCall, PendingCall
from blink_cli.core.api.session_options import SessionOptions
from tests.api.conftest import Held
from tests.support.scripted_session import BOB, CALL, CAROL, RINGING, scripted_session

pytestmark = pytest.mark.no_clock(sockets=True)


async def test_it_is_the_session_of_its_profile(held: Held) -> None:
    status = await held.session.status()
    assert_type(status, blink.replies.Status)
    assert (held.session.profile, held.session.did) == ("alice", status.did)
    assert repr(held.session) == "Session(profile='alice', nickname='alice')"
    assert blink.to_json(status)["schema"] == 1


async def test_a_call_is_an_object(held: Held) -> None:
    async with await held.session.offer("bob", wait_s=5) as call:
        assert (call.id, call.connected) == (CALL, (BOB,))
        assert isinstance(await call.state(), CurrentCall)
        assert [one.nickname for one in await call.participants()] == ["alice", "bob"]
        assert len(await call.until_connected("bob")) == 2
        current = await held.session.current_call()
        assert current is not None
        assert current.id == call.id
        with pytest.raises(blink.NotFoundError, match="audio with carol within"):
            await call.until_connected("carol", timeout_s=0.05)
    assert await call.state() is None
    assert await held.session.current_call() is None
    with pytest.raises(blink.StateError, match="not in call c0ffee00") as error:
        await call.leave()
    assert error.value.hint is not None


async def test_a_call_that_rings_is_found_late_too(held: Held) -> None:
    held.script.ring()
    call = await held.session.next_call(timeout_s=5)
    assert isinstance(await call.state(), PendingCall)
    with pytest.raises(blink.StateError):
        await call.participants()
    await call.accept(wait_s=1)
    assert call.id == RINGING
    held.script.end_call(EndReason.LEFT)
    await call.until_over(timeout_s=5)


async def test_errors_are_those_of_the_session_by_both_ways(held: Held) -> None:
    with pytest.raises(blink.NotFoundError, match="No peer is called 'dave'") as error:
        await held.session.offer("dave")
    assert (error.value.code, error.value.hint) == ("not_found", "`blink peers` lists those that were seen")
    with pytest.raises(blink.StateError):
        await held.session.rtp_stats()
    with pytest.raises(blink.DeviceError):
        await held.session.set_input("broken thing")
    with pytest.raises(blink.UsageError):
        await held.session.impair("loss=lots")
    with pytest.raises(blink.UsageError):
        await held.session.check("loss<")


async def test_events_come_in_order_from_a_known_moment_on(held: Held) -> None:
    async with held.session.events() as events, held.session.events() as others:
        assert events.snapshot.nickname == "alice"
        await held.session.offer("bob")
        while not isinstance(event := await anext(events), CallJoined):
            pass
        assert event.call_id == CALL
        # The other one missed nothing meanwhile.
        assert isinstance(await anext(others), blink.events.TalkingStarted | CallJoined)


async def all_of(events: blink.EventStream) -> None:
    async for _ in events:
        pass


async def test_a_reader_that_is_cancelled_loses_no_event(held: Held) -> None:
    async with held.session.events() as events:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(all_of(events), 0.001)
        held.script.publish(PeerAppeared(did=CAROL, nickname="carol"))
        while not isinstance(event := await anext(events), PeerAppeared):
            pass
        assert event.nickname == "carol"


async def test_waiting_for_an_event(held: Held) -> None:
    waiting = asyncio.create_task(  # noqa: TID251 - awaited below
        held.session.wait_for(TalkingStarted, timeout_s=5, where=lambda event: event.did == CAROL)
    )
    while not waiting.done():
        held.script.publish(TalkingStarted(did=BOB, at_s=1.0))
        held.script.publish(TalkingStarted(did=CAROL, at_s=2.0))
        await asyncio.sleep(0)
    assert_type(await waiting, TalkingStarted)
    assert (await waiting).at_s == 2.0
    held.script.ring()
    assert (await held.session.wait_for(IncomingCall, timeout_s=5)).call_id == RINGING
    with pytest.raises(blink.NotFoundError, match="No incoming_call came within"):
        await held.session.wait_for(IncomingCall, timeout_s=0.02, new=True)


async def test_a_program_learns_that_its_session_was_told_to_end(opened: Held) -> None:
    async with connect(profile="alice", data_dir=opened.data_dir) as far, asyncio.TaskGroup() as group:
        told = group.create_task(opened.session.until_ended())
        await far.quit()
        await asyncio.wait_for(told, 5)


async def test_everything_ends_with_the_session(opened: Held) -> None:
    profile = find_profile("carol", opened.data_dir)
    async with AsyncExitStack() as ours, AsyncExitStack() as theirs:
        session = await theirs.enter_async_context(
            hosted_session(profile, SessionOptions(), None, lambda p, o, _: scripted_session(o, p.name))
        )
        far = await ours.enter_async_context(connect(profile="carol", data_dir=opened.data_dir))
        near_events, far_events = session.events(), far.events()
        assert isinstance(await anext(near_events), TalkingStarted)
        await far_events.begin()
        async with asyncio.timeout(5):
            await theirs.aclose()
            await far.until_ended()
        assert await anext(near_events, None) is None
        heard = [type(event).__name__ async for event in far_events]
        assert heard[-1] == "SessionEnding"
        with pytest.raises(blink.NoSessionError):
            await far.status()


async def test_after_its_end_a_session_says_so(opened: Held) -> None:
    profile = find_profile("carol", opened.data_dir)
    async with hosted_session(
        profile, SessionOptions(), None, lambda p, o, _: scripted_session(o, p.name)
    ) as session:
        assert session.profile == "carol"
    for asked in (session.status(), session.events().begin(), session.wait_for(TalkingStarted)):
        with pytest.raises(blink.NoSessionError):
            await asked
    with pytest.raises(blink.NoSessionError):
        session.tap()
    with pytest.raises(blink.NoSessionError, match="No session of profile 'carol' is running") as error:
        async with connect(profile="carol", data_dir=opened.data_dir):
            pass
    assert "open_session" in (error.value.hint or "")


async def test_one_profile_has_one_session(opened: Held) -> None:
    with pytest.raises(blink.StateError, match="'alice' is already running"):
        async with hosted_session(
            find_profile("alice", opened.data_dir),
            SessionOptions(),
            None,
            lambda _p, o, _: scripted_session(o),
        ):
            pass


async def test_sound_is_tapped_in_its_own_process_only(opened: Held) -> None:
    async with connect(profile="alice", data_dir=opened.data_dir) as far:
        with pytest.raises(blink.StateError, match="own process") as error:
            far.tap("mix")
        assert error.value.hint is not None
    block = np.full(480, 0.5, np.float32)
    async with opened.session.tap("peers", "mix") as tap:
        opened.script.sound.played(1.5, [(BOB, block)], block)
        block[:] = 0  # as a voice thread does with its buffers
        peer, mix = await anext(tap), await anext(tap)
    assert (peer.point, peer.peer, mix.point, mix.peer) == ("peers", BOB, "mix", None)
    assert (peer.samples[0], peer.level_dbov, peer.at_s) == (0.5, -6, 1.5)
    assert await anext(tap, None) is None


async def test_no_handler_no_output_and_a_program_s_own_logging(
    opened: Held, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers, level = list(logging.getLogger().handlers), logging.getLogger("blink_cli").level
    async with hosted_session(
        find_profile("carol", opened.data_dir),
        SessionOptions(),
        None,
        lambda p, o, _: scripted_session(o, p.name),
    ) as session:
        await session.status()
        assert {number: signal.getsignal(number) for number in before} == before
        assert logging.getLogger().handlers == handlers
        assert logging.getLogger("blink_cli").level == level
        logging.getLogger("blink_cli.session").warning("nobody configured logging")
    assert capfd.readouterr() == ("", "")


def test_every_option_of_a_session_is_one_of_python() -> None:
    taken = set(inspect.signature(blink.open_session).parameters)
    # An echo peer is `blink echo`; `run_command` runs it.
    assert set(SessionOptions.__struct_fields__) - {"echo"} <= taken


LIGHT = """
import sys
import blink_cli as blink
blink.Session, blink.connect, blink.events.CallJoined, blink.requests.PlaceOffer, blink.open_session, blink.NotFoundError
heavy = {"aiortc", "av", "numpy", "sounddevice", "zeroconf", "prompt_toolkit", "typer", "rich"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""


def test_importing_it_loads_nothing_heavy() -> None:
    for script in (
        "import sys; import blink_cli; sys.exit(len([m for m in sys.modules if m.startswith('blink_cli.')]))",
        LIGHT,
    ):
        ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")


def test_every_public_name_is_there() -> None:
    assert set(blink.__all__) <= set(dir(blink))
    for name in blink.__all__:
        assert getattr(blink, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'opensession'"):
        blink.opensession  # type: ignore[attr-defined]  # noqa: B018
    assert (Path(blink.__file__).parent / "py.typed").exists()
