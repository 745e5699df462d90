"""What is said of what was found, where the situation itself need not be made."""

from pathlib import Path
from typing import Any

import pytest

from blink_cli.core.api.replies.peers import WrongClock
from blink_cli.core.ids import Did
from blink_cli.doctor.clock import judged_by_peers
from blink_cli.doctor.finding import Finding
from blink_cli.doctor.firewall import hints_of
from blink_cli.doctor.libraries import answer_of, judged
from blink_cli.doctor.multicast import judged as judged_interface
from blink_cli.doctor.multicast import judged_others
from blink_cli.doctor.sound_cards import judged as judged_cards
from blink_cli.net.signaling.multicast_probe import SeatHeard

pytestmark = pytest.mark.no_clock

PORT = 7667


# clocks


def wrong(*ahead_s: float) -> tuple[WrongClock, ...]:
    names = ("anna", "bert", "carl", "dora")
    return tuple(
        WrongClock(did=Did(f"did:{name}"), nickname=name, ahead_s=seconds, proved=True)
        for name, seconds in zip(names, ahead_s, strict=False)
    )


def test_a_clock_that_all_peers_contradict_is_ours() -> None:
    found = judged_by_peers(wrong(3_600.0, 3_601.5), alive=2)
    assert (found.ok, found.found) == (False, "this machine's clock is 1 h behind those of all 2 peers")


@pytest.mark.parametrize(
    ("ahead_s", "alive"),
    [((3_600.0,), 1), ((3_600.0,), 3), ((3_600.0, -60.0), 2)],
    ids=["one", "one of 3", "two ways"],
)
def test_whose_clock_is_wrong_is_not_guessed(ahead_s: tuple[float, ...], alive: int) -> None:
    found = judged_by_peers(wrong(*ahead_s), alive)
    assert found.ok is False
    assert "anna's clock is 1 h ahead of this one" in found.found
    assert "this machine's" not in found.found


def test_clocks_that_agree_are_fine_and_nobody_is_no_witness() -> None:
    assert judged_by_peers((), alive=3).ok is True
    assert judged_by_peers((), alive=0).level == "unknown"


# libraries

NUMPY = b'{"type":"library","name":"numpy","extra":null,"wanted":">=1.26","version":%s,"broken_bound":%s,"failure":%s}'


@pytest.mark.parametrize(
    ("version", "bound", "failure", "level", "words"),
    [
        (b'"2.1"', b"null", b"null", "ok", "numpy 2.1"),
        (b"null", b"null", b"null", "failed", "numpy is missing"),
        (b'"1.2"', b'">=1.26"', b"null", "failed", "numpy 1.2 is older than what is needed (>=1.26)"),
        (b'"9"', b'"<3"', b"null", "warning", "numpy 9 is newer than what was tried"),
        (b'"2.1"', b"null", b'"ImportError: no"', "failed", "numpy 2.1 cannot be loaded (ImportError: no)"),
    ],
)
def test_what_is_wrong_with_a_library(
    version: bytes, bound: bytes, failure: bytes, level: str, words: str
) -> None:
    found = judged(answer_of(NUMPY % (version, bound, failure), 0))
    assert (found.level, words in found.found) == (level, True), found


def test_a_library_that_ends_the_process_is_named() -> None:
    found = judged(answer_of(b'{"type":"loading","name":"av"}\n', -11))
    assert (found.ok, found.found) == (False, "av ends the process that loads it (exit code -11)")


def test_one_that_takes_too_long_may_only_be_slow() -> None:
    found = judged(answer_of(b'{"type":"loading","name":"av"}\n', None))
    assert found.level == "unknown"
    assert "av" in found.found


# firewall


def chain(policy: str = "accept", hook: str = "input") -> dict[str, Any]:
    return {"chain": {"family": "inet", "table": "filter", "name": "in", "hook": hook, "policy": policy}}


def rule(verdict: str, *matches: dict[str, Any], chain: str = "in") -> dict[str, Any]:
    return {
        "rule": {
            "family": "inet",
            "table": "filter",
            "chain": chain,
            "expr": [*({"match": one} for one in matches), {verdict: None}],
        }
    }


def port(right: Any) -> dict[str, Any]:
    return {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": right}


MULTICAST = {"op": "==", "left": {"meta": {"key": "pkttype"}}, "right": "multicast"}


@pytest.mark.parametrize(
    "ruleset",
    [
        [chain(), rule("drop", port(PORT))],
        [chain(), rule("reject", port({"range": [7000, 8000]}))],
        [chain(hook="output"), rule("drop", port({"set": [22, {"range": [5000, 6000]}]}))],
        [chain(), rule("drop", MULTICAST)],
        [chain("drop"), rule("accept", port(22))],
    ],
)
def test_rules_that_may_drop_signals_are_named(ruleset: list[dict[str, Any]]) -> None:
    (hint,) = hints_of(ruleset, PORT)
    assert "chain in of table inet filter" in hint


@pytest.mark.parametrize(
    "ruleset",
    [
        [],
        [chain(), rule("drop", port(22))],
        [chain("drop"), rule("accept", port(PORT))],
        [{"chain": {"family": "inet", "table": "filter", "name": "in"}}, rule("drop", port(PORT))],
    ],
)
def test_other_rules_are_nobodys_business(ruleset: list[dict[str, Any]]) -> None:
    assert not list(hints_of(ruleset, PORT))


# multicast


def seat(
    version: int, *, heard: bool = True, refusal: str | None = None, others: frozenset[str] = frozenset()
) -> SeatHeard:
    return SeatHeard("eth0", version, loopback=False, own_heard=heard, refusal=refusal, others=others)


def judged_in(name: str, seats: list[SeatHeard], group: str, *, elsewhere: bool = False) -> Finding:
    return judged_interface(name, seats, group, elsewhere=elsewhere)


def test_one_family_that_passes_is_enough_for_a_warning() -> None:
    group = f"239.1.1.1:{PORT}"
    assert judged_in("eth0", [seat(4), seat(6)], group).level == "ok"
    half = judged_in("eth0", [seat(4), seat(6, heard=False, refusal="nothing can be sent: no")], group)
    assert (half.name, half.level) == ("multicast:eth0", "warning")
    assert "IPv6: nothing can be sent: no" in half.found
    dead = [seat(4, heard=False), seat(6, heard=False)]
    assert judged_in("eth0", dead, group).level == "failed"
    assert judged_in("eth0", dead, group, elsewhere=True).level == "warning"


def test_what_the_system_refuses_is_no_matter_of_the_firewall() -> None:
    refused = [seat(4, heard=False, refusal="the group cannot be joined: Address already in use"), seat(6)]
    found = judged_in("eth0", refused, f"239.1.1.1:{PORT}")
    assert found.remedy is not None
    assert "udp-port" in found.remedy
    assert "ufw" not in found.remedy
    dropped = judged_in("eth0", [seat(4, heard=False), seat(6)], f"239.1.1.1:{PORT}")
    assert "ufw" in (dropped.remedy or "")


def test_others_that_are_heard_are_told() -> None:
    found = judged_in("eth0", [seat(4, others=frozenset({"10.0.0.7"}))], f"239.1.1.1:{PORT}")
    assert "others heard: 10.0.0.7" in found.found


def test_others_of_whom_none_is_heard() -> None:
    peers = {"10.0.0.7": "anna", "fe80::7": "bert"}
    assert judged_others(peers, {"10.0.0.7"}).ok is True
    assert judged_others(peers, {"fe80::8"}).ok is True, "the other family of one of them"
    found = judged_others(peers, set())
    assert (found.ok, "anna (10.0.0.7), bert (fe80::7)" in found.found) == (False, True)


# sound cards


def test_a_card_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged_cards(tmp_path).ok is True
    (tmp_path / "pcmC0D0c").touch()
    assert judged_cards(tmp_path).ok is True
    monkeypatch.setattr("os.access", lambda *_: False)
    found = judged_cards(tmp_path)
    assert (found.ok, "usermod -aG audio" in (found.remedy or "")) == (False, True)
