"""Where the checks look."""

from collections.abc import AsyncIterator

import pytest_asyncio

from blink_cli.lab.network.laboratory import Laboratory
from blink_cli.lab.sessions import Machine


@pytest_asyncio.fixture
async def machine() -> AsyncIterator[Machine]:
    """This machine, on loopback, with a multicast group of its own."""
    async with Machine() as here:
        yield here


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Laboratory]:
    """Hosts in network namespaces."""
    async with Laboratory(seed=2) as laboratory:
        yield laboratory
