"""Where the checks look."""

from collections.abc import AsyncIterator

import pytest_asyncio

from blink_cli.lab.network.laboratory import Laboratory


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Laboratory]:
    """Hosts in network namespaces."""
    async with Laboratory(seed=2) as laboratory:
        yield laboratory
