"""Two builds of different versions of the protocol on one network: each says so, and who the other is."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Machine, free_group

pytestmark = [pytest.mark.real_time, pytest.mark.in_pairs]

ROOT = Path(__file__).resolve().parent.parent.parent
NEXT_BUILD = """
import blink_cli.core.gossip.datagram as datagram
import blink_cli.core.gossip.versions as versions
datagram.VERSION, datagram._VERSION_BYTES, versions.SPOKEN = 0xB3, b"\\xb3", 3
"""
"""Run before anything else takes these numbers from there."""


async def test_two_versions_tell_each_other_and_their_users(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(NEXT_BUILD)
    group = free_group()
    async with AsyncExitStack() as stack:
        old_machine = await stack.enter_async_context(Machine(group=group))
        new_machine = await stack.enter_async_context(
            Machine(group=group, environment={"PYTHONPATH": f"{tmp_path}:{ROOT}"})
        )
        old, new = await together(
            old_machine.serve("anna", "--input", "silence", "--output", "null"),
            new_machine.serve("bert", "--input", "silence", "--output", "null"),
        )
        for session, other, newer in ((old, new, True), (new, old, False)):
            status = await session.until(
                "status",
                lambda status, did=other.did: any(one["did"] == did for one in status["other_versions"]),
                what="the other build is named",
            )
            assert {one["newer"] for one in status["other_versions"]} == {newer}
            told = await session.machine.run(session.profile, "peers")
            words = " ".join((told.stdout + told.stderr).split())
            age, name = ("newer", "bert") if newer else ("older", "anna")
            assert f"{name} at 127.0.0.1:" in words
            assert f"speaks an {age} version" in words or f"speaks a {age} version" in words
