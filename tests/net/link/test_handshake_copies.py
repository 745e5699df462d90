"""The last flight is said again until the next one is due; nothing else is."""

import asyncio

import pytest

from blink_cli.net.link import handshake_copies
from blink_cli.net.link.handshake_copies import COPIES_AFTER_S, MAX_KEPT_DATAGRAMS, DtlsRetransmitter
from tests.net.gossip_parts import eventually

pytestmark = pytest.mark.real_time

REPETITIONS = len(COPIES_AFTER_S)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake_copies, "COPIES_AFTER_S", tuple(0.01 * (n + 1) for n in range(REPETITIONS)))


@pytest.fixture
def sent() -> list[bytes]:
    return []


async def test_a_flight_is_said_again_as_it_was(sent: list[bytes]) -> None:
    copies = DtlsRetransmitter(sent.append)
    copies.said(b"hello")
    copies.said(b"certificate")
    await eventually(lambda: len(sent) == 2 * REPETITIONS)
    assert sent == [b"hello", b"certificate"] * REPETITIONS
    await asyncio.sleep(0.03)
    assert len(sent) == 2 * REPETITIONS, "it has an end"


async def test_what_comes_in_stops_nothing_until_something_new_is_said(sent: list[bytes]) -> None:
    copies = DtlsRetransmitter(sent.append)
    copies.said(b"one")
    copies.heard()
    await eventually(lambda: sent)
    copies.said(b"two")
    sent.clear()
    await eventually(lambda: len(sent) == REPETITIONS)
    assert set(sent) == {b"two"}


async def test_the_last_flight_is_repeated_after_the_end_and_later_words_are_not(sent: list[bytes]) -> None:
    copies = DtlsRetransmitter(sent.append)
    copies.said(b"finished")
    copies.heard()
    copies.finish()
    copies.said(b"close_notify")
    await eventually(lambda: len(sent) == REPETITIONS)
    assert set(sent) == {b"finished"}


async def test_a_closed_one_is_quiet_and_a_long_flight_is_not_kept_whole(sent: list[bytes]) -> None:
    copies = DtlsRetransmitter(sent.append)
    for _ in range(MAX_KEPT_DATAGRAMS + 5):
        copies.said(b"x")
    await eventually(lambda: sent)
    copies.close()
    copies.close()
    # Each repetition sends the whole flight, as far as it is kept; a busy machine may be at the second one.
    repetitions, more = divmod(len(sent), MAX_KEPT_DATAGRAMS)
    assert (repetitions >= 1, more) == (True, 0)
    copies.said(b"y")
    await asyncio.sleep(0.1)
    assert len(sent) == repetitions * MAX_KEPT_DATAGRAMS
