"""A check of the other side's that comes while a connection closes starts none of ours: nobody would end it."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from blink_cli.net.ice.ice_connection import IceConnection

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize("closing", [False, True])
async def test_no_check_starts_while_it_closes(closing: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a row of the table
    checked: list[object] = []

    async def check_start(_: IceConnection, pair: object) -> None:
        checked.append(pair)

    monkeypatch.setattr(IceConnection, "check_start", check_start)
    connection = IceConnection.__new__(IceConnection)
    connection._closing = closing
    pair = SimpleNamespace(task=None)
    connection.check_start_task(cast("Any", pair))
    if pair.task is not None:
        await asyncio.wait_for(pair.task, 5)
    assert checked == ([] if closing else [pair])
