"""Reject, join later, and the words for what cannot be."""

import pytest

from blink_cli.lab.session_calls import call_of, connected, together
from blink_cli.lab.sessions import Machine, Session

pytestmark = [pytest.mark.real_time, pytest.mark.in_pairs]


async def quiet(machine: Machine, *names: str) -> list[Session]:
    return await together(*(machine.serve(name, "--input", "silence", "--output", "null") for name in names))


async def test_a_rejected_call_that_goes_on_can_be_joined_later(machine: Machine) -> None:
    alice, bob, carol = await quiet(machine, "alice", "bob", "carol")
    async with await alice.events() as at_alice, await carol.events() as at_carol:
        call = (await alice.ask("offer", bob.did, carol.did))["call"]
        await at_carol.next("incoming_call", call_id=call)
        await together(carol.blink("reject"), bob.blink("accept", "--wait", "15"))
        await at_alice.next("participant_declined", did=carol.did)
    calls = await carol.ask("calls")
    (pending,) = calls["pending_calls"]
    assert pending["id"] == call
    assert pending["rejected"] is True
    await carol.blink("accept", call[:8], "--wait", "15")
    for session in (alice, bob, carol):
        await connected(session, 2)


async def test_who_left_can_be_back_at_once(machine: Machine) -> None:
    alice, bob, carol = await quiet(machine, "alice", "bob", "carol")
    async with call_of(alice, bob, carol) as call:
        await carol.blink("leave")
        await carol.blink("accept", call, "--wait", "10")
        for session in (alice, bob, carol):
            await connected(session, 2)


async def test_a_call_that_everybody_left_cannot_be_joined(machine: Machine) -> None:
    alice, bob = await quiet(machine, "alice", "bob")
    async with await bob.events() as at_bob:
        call = (await alice.ask("offer", bob.did))["call"]
        await at_bob.next("incoming_call", call_id=call)
        await alice.blink("leave")
        await at_bob.next("call_cancelled", call_id=call)
    refused = await bob.blink("accept", expect=3)
    assert refused.json["error"]["message"]


async def test_every_mistake_has_its_sentence_and_exit_code(machine: Machine) -> None:
    (alice,) = await quiet(machine, "alice")
    for arguments, exit_code in (
        (("offer", "nobody-of-this-name"), 3),
        (("accept",), 3),
        (("accept", "00ff"), 3),
        (("gain", "nobody-of-this-name", "3"), 3),
        (("set-input", "no such microphone"), 3),
        (("set-input", "file:/no/such/file.wav"), 5),
        (("gain", "bob"), 2),
        (("no-such-command",), 2),
        (("leave",), 1),
    ):
        finished = await alice.blink(*arguments, expect=exit_code)
        error = finished.json["error"]
        assert finished.json["schema"] == 1
        assert error["message"].rstrip().endswith((".", "?", "!")) or exit_code == 2, error
        assert "Traceback" not in finished.stderr
    assert (await alice.ask("status"))["call"] is None, "the session took no harm"


async def test_without_a_session_the_exit_code_is_4(machine: Machine) -> None:
    finished = await machine.run("nobody", "--json", "status")
    assert finished.exit_code == 4, finished.report()
    assert finished.json["error"]["code"] == "no_session"
    assert finished.json["error"]["hint"]


async def test_a_profile_has_one_session(machine: Machine) -> None:
    (alice,) = await quiet(machine, "alice")
    second = await machine.run("alice", "--json", "serve", "--group", machine.group, "--input", "silence")
    assert second.exit_code == 1, second.report()
    assert second.json["error"]["message"]
    assert (await alice.ask("status"))["pid"] == alice.pid
