"""aioice's own messages, changed one by one: what the guard lets through to aioice."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from aioice import Candidate
from aioice.ice import Connection, StunProtocol
from aioice.stun import Class, Message, Method

from blink_cli.net.ice.stun_guard import (
    ANSWERS_A_TRANSACTION,
    CHECKS_PER_S,
    LEARNED_CHECKS_PER_S,
    MAX_ATTRIBUTES,
    MAX_LEARNED,
    MAX_TRANSACTIONS,
    StunGuard,
    Verdict,
)

pytestmark = pytest.mark.no_clock

PEER = ("192.0.2.1", 40_000)
ELSEWHERE = ("198.51.100.9", 50_000)
OURS, THEIRS = "abcdefghijklmnopqrstuv", "ABCDEFGHIJKLMNOPQRSTUV"
TRANSACTION = b"transaction!"


class Door:
    """A guard between two sides that know each other, at one socket of ours."""

    def __init__(self, *, answered: bool = True) -> None:
        self.connection = Connection(ice_controlling=True, local_username="ours", local_password=OURS)
        if answered:
            self.connection.remote_username, self.connection.remote_password = "them", THEIRS
            told = Candidate("1", 1, "udp", 1, *PEER, "host")
            told._network_host = PEER[0]
            self.connection._remote_candidates.append(told)
        self.protocol = StunProtocol(self.connection)
        self.guard = StunGuard(self.connection)

    def judge(self, data: bytes, source: tuple[str, int] = PEER) -> Verdict:
        return self.guard.judge(data, self.protocol, source, 0.0)

    def admits(self, data: bytes, source: tuple[str, int] = PEER) -> bool:
        return self.judge(data, source) is Verdict.PASSES

    def trusts(self, source: tuple[str, int]) -> bool:
        return self.guard.trusts(self.protocol, source)


@pytest.fixture
async def door() -> Door:
    return Door()


def check(
    transaction: bytes = TRANSACTION,
    *,
    name: str = "ours:them",
    password: str = OURS,
    method: Method = Method.BINDING,
    more: dict[str, Any] | None = None,
) -> bytes:
    attributes = {**(more or {}), "USERNAME": name, "PRIORITY": 1, "ICE-CONTROLLED": 1}
    message = Message(method, Class.REQUEST, transaction, attributes)
    message.add_message_integrity(password.encode())
    return bytes(message)


def answer(transaction: bytes = TRANSACTION, *, password: str = THEIRS) -> bytes:
    message = Message(Method.BINDING, Class.RESPONSE, transaction, {"XOR-MAPPED-ADDRESS": PEER})
    message.add_message_integrity(password.encode())
    return bytes(message)


def unsigned(kind: Class, **attributes: Any) -> bytes:
    return bytes(Message(Method.BINDING, kind, TRANSACTION, attributes))


async def test_the_peers_checks_pass_and_make_its_own_address_trusted(door: Door) -> None:
    assert not door.trusts(PEER)
    assert door.admits(check())
    assert door.trusts(PEER)
    assert door.admits(check(b"another one!", more={"SOFTWARE": "attributes in any order"}))


@pytest.mark.parametrize(
    "refused",
    [
        answer(password=OURS),
        check(name="else:them"),
        check(name="ours:else"),
        check(name="ours"),
        check(name="oursx:them"),
        check(password="A" * 22),
        check(method=Method.ALLOCATE),
        unsigned(Class.REQUEST),
        unsigned(Class.REQUEST, USERNAME="ours:them"),
        unsigned(Class.INDICATION),
        check()[:-4],
        check() + bytes(4),
        check()[:4] + bytes(4) + check()[8:],
        check()[:20],
        check()[:1],
        check(more={"SOFTWARE": "x" * 2_000}),
    ],
)
async def test_all_else_is_refused(door: Door, refused: bytes) -> None:
    assert door.judge(refused) is Verdict.REFUSED
    assert not door.trusts(PEER)


async def test_no_byte_of_a_check_can_be_changed(door: Door) -> None:
    whole = check()
    signed_bytes = len(whole) - 8  # FINGERPRINT is aioice's to see
    for position in range(signed_bytes):
        changed = bytearray(whole)
        changed[position] ^= 0x40
        if position == signed_bytes - 22:  # the length of the signature says where it ends
            continue
        assert not door.admits(bytes(changed)), position


async def test_a_signed_answer_to_a_check_under_way_proves_any_address(door: Door) -> None:
    assert not door.admits(answer(), ELSEWHERE)
    door.protocol.transactions[TRANSACTION] = None  # type: ignore[assignment]
    assert not door.admits(answer(password=OURS), ELSEWHERE)
    assert not door.admits(unsigned(Class.RESPONSE), ELSEWHERE)
    assert not door.trusts(ELSEWHERE)
    assert door.admits(answer(), ELSEWHERE)
    assert door.trusts(ELSEWHERE)


async def test_what_the_peer_says_twice_is_not_counted_and_not_read(door: Door) -> None:
    assert door.judge(answer(b"was answered")) is Verdict.IDLE, "a copy of a check is answered too"
    assert door.judge(answer(b"was answered"), ELSEWHERE) is Verdict.REFUSED
    assert door.admits(check())
    assert door.judge(unsigned(Class.INDICATION)) is Verdict.IDLE, "a keepalive"


async def test_a_check_from_an_address_that_nobody_named_passes_and_proves_nothing(door: Door) -> None:
    assert door.admits(check(), ELSEWHERE)
    assert not door.trusts(ELSEWHERE)


async def test_a_recorded_check_is_refused_elsewhere_and_not_answered_for_ever(door: Door) -> None:
    assert door.admits(check())
    assert not door.admits(check(), ELSEWHERE)
    assert [door.admits(check()) for _ in range(40)].count(True) == ANSWERS_A_TRANSACTION - 1


async def test_before_the_answer_checks_that_name_us_pass() -> None:
    early = Door(answered=False)
    assert early.admits(check())
    assert early.admits(check(b"another one!", name="ours:whoever"))
    assert not early.admits(check(b"a third one!", name="them:ours"))
    assert not early.trusts(PEER)


@pytest.mark.parametrize(
    ("sources", "most"),
    [
        (lambda _: PEER, 2 * CHECKS_PER_S),
        (lambda _: ELSEWHERE, 2 * LEARNED_CHECKS_PER_S),
        (lambda number: (ELSEWHERE[0], 1_024 + number), MAX_LEARNED),
    ],
)
async def test_what_an_invited_peer_can_make_us_answer_and_keep_is_bounded(
    door: Door, sources: Callable[[int], tuple[str, int]], most: float
) -> None:
    admitted = [
        door.admits(check(number.to_bytes(12, "big")), sources(number)) for number in range(2_000)
    ].count(True)
    assert 0 < admitted <= most
    assert len(door.guard._checks) <= MAX_TRANSACTIONS
    assert len(door.guard._spoke) <= MAX_LEARNED + 1


async def test_in_a_long_call_too_few_checks_are_remembered(door: Door) -> None:
    for number in range(MAX_TRANSACTIONS + 10):
        assert door.guard.judge(check(number.to_bytes(12, "big")), door.protocol, PEER, number / 100)
    assert len(door.guard._checks) == MAX_TRANSACTIONS


async def test_an_address_that_aioice_learned_of_a_check_is_not_one_that_the_peer_named(door: Door) -> None:
    learned = Candidate("2", 1, "udp", 1, *ELSEWHERE, "prflx")
    learned._network_host = ELSEWHERE[0]
    door.connection._remote_candidates.append(learned)
    assert door.admits(check(), ELSEWHERE)
    assert not door.trusts(ELSEWHERE)


@pytest.mark.parametrize(("before", "passes"), [(MAX_ATTRIBUTES - 2, True), (MAX_ATTRIBUTES, False)])
async def test_a_check_of_many_attributes_is_not_read_to_its_end(
    door: Door,
    before: int,
    passes: bool,  # noqa: FBT001
) -> None:
    body = b"\x80\x22\x00\x00" * before + b"\x00\x06\x00\x09ours:them\x00\x00\x00"
    head = b"\x00\x01" + (len(body) + 24).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + TRANSACTION
    signature = hmac.digest(OURS.encode(), head + body, hashlib.sha1)
    assert door.admits(head + body + b"\x00\x08\x00\x14" + signature) is passes
