"""Rules of this machine's firewall that may stand in the way, as far as they may be read. Whether they do, the multicast check tells."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from blink_cli.core.endpoint import parse_group
from blink_cli.doctor.finding import Finding, fine, unknown, warning
from blink_cli.doctor.situation import Situation

NAME: Final = "firewall"
MDNS_PORT: Final = 5353
ASKED_S: Final = 4.0
_ADMINISTRATOR_PATH: Final = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
"""Debian keeps `nft` out of an ordinary user's path."""

_AUDIO: Final = (
    "Audio goes by UDP between ports that the system chooses, so established UDP flows must pass too."
)


def look(situation: Situation) -> Iterator[Finding]:
    """Read the rules where that is possible."""
    port = parse_group(situation.network.group).port
    if sys.platform == "darwin":
        yield _macos()
    elif sys.platform == "win32":
        yield unknown(
            NAME,
            "Windows asks when a program listens first, and remembers a no",
            f"Settings, Windows Security, Firewall, Allow an app: Python must be allowed on private networks (UDP {port} and {MDNS_PORT}).",
        )
    else:
        yield _linux(port)


def _linux(port: int) -> Finding:
    nft = shutil.which("nft", path=_ADMINISTRATOR_PATH)
    if nft is not None:
        ruleset = _output(nft, "-j", "list", "ruleset")
        if ruleset is not None:
            hints = list(hints_of(json.loads(ruleset).get("nftables", []), port))
            if hints:
                return warning(NAME, "; ".join(hints), _remedy(port))
            return fine(NAME, f"no rule of nftables that drops UDP {port} or {MDNS_PORT} was found")
    managers = [name for name, active in _managers() if active]
    if managers:
        return unknown(
            NAME,
            f"{' and '.join(managers)} is on, and its rules are not for this user to read",
            f"As root, `nft list ruleset` shows them. {_remedy(port)}",
        )
    return unknown(
        NAME,
        "the rules cannot be read by this user"
        if nft is not None
        else "nft is not installed, so rules cannot be read",
        "As root, `nft list ruleset` (or `iptables-save`) shows them. The multicast check above has tried whether they let signals pass.",
    )


def _remedy(port: int) -> str:
    return f"Let UDP {port} and {MDNS_PORT} in: `ufw allow {port}/udp`, or `firewall-cmd --add-port={port}/udp --add-service=mdns`. {_AUDIO}"


def hints_of(ruleset: Iterable[Mapping[str, Any]], port: int) -> Iterator[str]:
    """Say which base chains and rules may drop our datagrams.

    Args:
        ruleset: What stands under `nftables` in `nft -j list ruleset` (libnftables-json(5)).
        port: Of the signals.

    """
    rules: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    chains: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for entry in ruleset:
        if "chain" in entry and entry["chain"].get("hook") in ("input", "output"):
            chain = entry["chain"]
            chains[_place(chain, chain["name"])] = chain
        elif "rule" in entry:
            rule = entry["rule"]
            rules.setdefault(_place(rule, rule["chain"]), []).append(rule)
    for place, chain in chains.items():
        own = rules.get(place, [])
        dropping = [rule for rule in own if _drops(rule) and _is_ours(rule, port)]
        where = f"chain {chain['name']} of table {chain['family']} {chain['table']}"
        if dropping:
            yield f"{where} has a rule that drops UDP {port}, {MDNS_PORT} or multicast"
        elif chain.get("policy") == "drop" and not any(
            _accepts(rule) and _is_ours(rule, port) for rule in own
        ):
            yield f"{where} drops what no rule accepts, and none names UDP {port}"


def _place(one: Mapping[str, Any], chain: str) -> tuple[str, ...]:
    return one["family"], one["table"], chain


def _drops(rule: Mapping[str, Any]) -> bool:
    return any("drop" in part or "reject" in part for part in rule.get("expr", []))


def _accepts(rule: Mapping[str, Any]) -> bool:
    return any("accept" in part for part in rule.get("expr", []))


def _is_ours(rule: Mapping[str, Any], port: int) -> bool:
    """Whether a rule matches our ports, or multicast as a whole."""
    for part in rule.get("expr", []):
        match = part.get("match", {})
        left, right = json.dumps(match.get("left", {})), match.get("right")
        if "dport" in left and any(_in(right, one) for one in (port, MDNS_PORT)):
            return True
        if "pkttype" in left and right in ("multicast", ["multicast"]):
            return True
        if "daddr" in left and any(text in json.dumps(right) for text in ("224.0.0.0", "239.", "ff00::")):
            return True
    return False


def _in(right: Any, port: int) -> bool:
    match right:
        case int():
            return right == port
        case {"range": [low, high]}:
            return bool(low <= port <= high)
        case {"set": members}:
            return any(_in(one, port) for one in members)
        case _:
            return False


def _managers() -> Iterator[tuple[str, bool]]:
    try:
        enabled = "ENABLED=yes" in Path("/etc/ufw/ufw.conf").read_text()
    except OSError:
        enabled = False
    yield "ufw", enabled
    yield "firewalld", Path("/run/firewalld").exists()


def _macos() -> Finding:
    state = _output("/usr/libexec/ApplicationFirewall/socketfilterfw", "--getglobalstate")
    if state is not None and "enabled" in state.lower():
        return warning(
            NAME,
            "the application firewall is on",
            "System Settings, Network, Firewall, Options: allow incoming connections for Python.",
        )
    return (
        fine(NAME, "the application firewall is off")
        if state is not None
        else unknown(NAME, "its state is not told")
    )


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - programs of the system, by their path
            command, capture_output=True, text=True, timeout=ASKED_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
