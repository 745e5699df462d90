"""The way by which the other side nominates is used before our own check of it is answered, and left for one that proves to work."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aioice import Candidate
from aioice.ice import CandidatePair

from blink_cli.net.ice.connectivity_checks import ConnectivityChecks
from blink_cli.net.ice.ice_connection import IceConnection
from blink_cli.net.link_settings import LinkSettings

pytestmark = pytest.mark.no_clock


class _Socket:
    local_candidate = Candidate("1", 1, "udp", 1_000, "192.0.2.1", 1, "host")
    transport = None


SOCKET = _Socket()


def pair(host: str, state: str = "IN_PROGRESS", *, nominated: bool = False, priority: int = 1_000) -> Any:
    remote = Candidate("2", 1, "udp", priority, host, 2, "srflx")
    remote._network_host = host
    made = CandidatePair(cast("Any", SOCKET), remote)
    made.state = CandidatePair.State[state]
    made.remote_nominated = nominated
    return made


class Connection:
    """As much of aioice's as the checks touch."""

    def __init__(self, *pairs: Any, controlling: bool = False) -> None:
        self._check_list = list(pairs)
        self._nominated: dict[int, Any] = {}
        self._check_list_done = False
        self.ice_controlling = controlling
        self.started: list[Any] = []

    def _check_list_maybe_complete(self) -> bool:
        self._check_list_done = bool(self._nominated)
        return self._check_list_done

    def check_start_task(self, pair: Any) -> None:
        self.started.append(pair)


def checks(connection: Connection) -> ConnectivityChecks:
    paths: Any = SimpleNamespace(stands=False)
    return ConnectivityChecks(cast("Any", connection), is_near=lambda _: False, paths=paths)


def test_the_nominated_way_is_used_at_once() -> None:
    one, other = pair("192.0.2.8"), pair("192.0.2.9", nominated=True)
    connection = Connection(one, other)
    checks(connection).take_nominated(other.remote_addr, cast("Any", SOCKET))
    assert connection._nominated == {1: other}
    assert connection._check_list_done


@pytest.mark.parametrize("case", ["not nominated", "controlling", "done"])
def test_otherwise_the_own_check_is_waited_for(case: str) -> None:
    way = pair("192.0.2.9", nominated=case != "not nominated")
    connection = Connection(way, controlling=case == "controlling")
    connection._check_list_done = case == "done"
    checks(connection).take_nominated(way.remote_addr, cast("Any", SOCKET))
    assert connection._nominated == {}


@pytest.mark.parametrize("stands", [False, True])
def test_it_counts_as_a_way_once_it_is_proved_or_the_link_stands(stands: bool) -> None:  # noqa: FBT001 - a row of the table
    connection = IceConnection.__new__(IceConnection)
    way = pair("192.0.2.9", nominated=True)
    connection._nominated = {1: way}
    connection.local_of = {}
    connection.paths = cast("Any", SimpleNamespace(stands=stands))
    connection._settings = LinkSettings()
    assert (connection.way is not None) == stands
    way.state = CandidatePair.State.SUCCEEDED
    assert connection.way is not None


def test_until_it_is_proved_all_other_ways_are_checked_on() -> None:
    used = pair("192.0.2.9")
    rest = [pair("192.0.2.10"), pair("192.0.2.11", "WAITING"), pair("192.0.2.12", "FAILED")]
    connection = Connection(used, *rest)
    connection._nominated[1] = used
    checks(connection).go_on()
    assert connection.started == [used, *rest[:2]]


def test_a_way_that_proves_to_work_takes_the_place_of_a_better_one_that_does_not() -> None:
    used, proved = pair("192.0.2.9", priority=9_000), pair("192.0.2.10", "SUCCEEDED")
    connection = Connection(used, proved)
    connection._nominated[1] = proved
    checks(connection).completed(proved, before=used)
    assert connection._nominated == {1: proved}
    used.state = CandidatePair.State.SUCCEEDED
    connection._nominated[1] = used
    checks(connection).completed(used, before=proved)
    assert connection._nominated == {1: used}
