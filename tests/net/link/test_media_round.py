import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from blink_cli.net.ice.udp_endpoint import UdpEndpoint, bound_socket
from blink_cli.net.link import media_round as module
from blink_cli.net.link.media_round import MOST_TURNS, MediaRound
from tests.net.ice.test_udp_endpoint import Protocol

pytestmark = pytest.mark.in_pairs


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        yield opened


class Member:
    """A socket in a round, and what the round read of it."""

    def __init__(self, media_round: MediaRound) -> None:
        self.protocol = Protocol()
        self.endpoint = UdpEndpoint(bound_socket("127.0.0.1"), self.protocol)
        self.address = self.endpoint.get_extra_info("sockname")
        self.read: list[bytes] = []
        self.fails = False
        media_round.join(self.endpoint, self._read)

    def _read(self) -> None:
        received = self.endpoint.receive()
        assert received is not None
        if self.fails:
            raise ZeroDivisionError
        self.read.append(received[0])


async def test_a_round_reads_all_that_came_and_wakes_nobody_before_its_end(sender: socket.socket) -> None:
    media_round = MediaRound()
    one, other = Member(media_round), Member(media_round)
    for number in range(3):
        sender.sendto(bytes([number]), one.address)
    sender.sendto(b"x", other.address)
    told: list[str] = []
    is_told = asyncio.Event()

    def go() -> None:
        media_round.before_tick()
        media_round.tell(told.append, "counted")
        media_round.tell(is_told.set)
        media_round.before_wait()

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    assert one.read == [b"\0", b"\1", b"\2"]
    assert other.read == [b"x"]
    assert not told
    await is_told.wait()
    assert told == ["counted"]
    assert one.protocol.came.empty()
    media_round.close()
    for member in (one, other):
        member.endpoint.close()


async def test_what_is_read_of_a_flood_has_an_end_and_the_rest_waits(sender: socket.socket) -> None:
    media_round = MediaRound()
    member = Member(media_round)
    for _ in range(MOST_TURNS + 5):
        sender.sendto(b"x", member.address)
    media_round.before_tick()
    assert len(member.read) == MOST_TURNS
    media_round.before_tick()
    assert len(member.read) == MOST_TURNS + 5
    media_round.close()
    member.endpoint.close()


async def test_when_nobody_goes_the_round_the_event_loop_reads_again(
    sender: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_round = MediaRound()
    gone = [media_round.is_gone]
    media_round.before_tick()
    gone.append(media_round.is_gone)
    assert gone == [False, True]
    member = Member(media_round)
    media_round.look()
    sender.sendto(b"for the round", member.address)
    media_round.before_tick()
    assert member.read == [b"for the round"]
    monkeypatch.setattr(module, "ALIVE_S", 0.0)
    media_round.look()
    sender.sendto(b"for the loop", member.address)
    assert (await member.protocol.came.get())[0] == b"for the loop"
    media_round.close()
    member.endpoint.close()


async def test_a_socket_that_is_closed_has_left_the_round(sender: socket.socket) -> None:
    media_round = MediaRound()
    gone, stays = Member(media_round), Member(media_round)
    gone.endpoint.close()
    await gone.protocol.changed.wait()
    sender.sendto(b"x", stays.address)
    media_round.before_tick()
    assert stays.read == [b"x"]
    media_round.close()
    stays.endpoint.close()


async def test_a_fault_in_one_packet_is_reported_and_takes_nothing_from_the_others(
    sender: socket.socket,
) -> None:
    media_round = MediaRound()
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: faults.append(told["exception"]))
    bad, good = Member(media_round), Member(media_round)
    bad.fails = True
    for member in (bad, good):
        sender.sendto(b"x", member.address)
    media_round.before_tick()
    assert good.read == [b"x"]

    def fail() -> None:
        raise ValueError

    told: list[str] = []
    media_round.tell(fail)
    media_round.tell(told.append, "behind it")
    media_round.catch_up()
    assert told == ["behind it"]
    assert [type(fault) for fault in faults] == [ZeroDivisionError, ValueError]
    media_round.close()
    for member in (bad, good):
        member.endpoint.close()


async def test_a_round_that_is_closed_takes_nobody_though_it_was_gone_a_moment_ago() -> None:
    media_round = MediaRound()
    media_round.before_tick()
    assert media_round.is_gone
    media_round.close()
    assert not media_round.is_gone, (
        "a link that still closes hears somebody, and would join a round that gives nothing back"
    )
