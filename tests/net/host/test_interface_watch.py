"""A change is told once, what could not be used is told again, and trouble with looking ends nothing."""

import asyncio
import errno
import logging

import pytest

from blink_cli.net.host.interface_watch import InterfaceWatch
from blink_cli.runtime.tasks import TaskOwner
from tests.net.gossip_parts import PATIENCE_S

pytestmark = pytest.mark.no_clock


class Machine:
    """What is seen at each look in turn, the last one from then on, and what was told of it."""

    def __init__(self, *looks: str | OSError, unsettled: int = 0) -> None:
        self.told: list[str] = []
        self.seen_all = asyncio.Event()
        self._looks = list(looks)
        self._unsettled = unsettled
        self._after = 3
        """Looks at the last state before the test goes on."""

    def look(self) -> str:
        if len(self._looks) > 1:
            seen = self._looks.pop(0)
        else:
            seen = self._looks[0]
            self._after -= 1
            if self._after == 0:
                self.seen_all.set()
        if isinstance(seen, OSError):
            raise seen
        return seen

    def changed(self, seen: str) -> bool:
        self.told.append(seen)
        self._unsettled -= 1
        return self._unsettled < 0

    async def watched(self) -> list[str]:
        async with TaskOwner("test") as tasks:
            tasks.start(InterfaceWatch(self.look, self.changed, every_s=0.0).run(), name="watch")
            await asyncio.wait_for(self.seen_all.wait(), PATIENCE_S)
        return self.told


async def test_the_first_look_and_every_change_are_told_once() -> None:
    assert await Machine("", "", "lan", "lan", "", "lan").watched() == ["", "lan", "", "lan"]


async def test_what_could_not_be_used_is_told_again_until_it_can() -> None:
    assert await Machine("lan", unsettled=2).watched() == ["lan", "lan", "lan"]


async def test_a_machine_that_does_not_tell_is_asked_again_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trouble = OSError(errno.EMFILE, "Too many open files")
    with caplog.at_level(logging.WARNING):
        assert await Machine("lan", trouble, trouble, "lan", trouble, "lan", "wlan").watched() == [
            "lan",
            "wlan",
        ]
    assert [record.getMessage() for record in caplog.records] == 2 * [
        "The network interfaces cannot be listed: Too many open files. Trying again."
    ]


async def test_trouble_at_the_first_look_is_no_end_either() -> None:
    assert await Machine(OSError(errno.ENOMEM, "Cannot allocate memory"), "lan").watched() == ["lan"]
