"""Signals between sessions over a network that loses, repeats, reorders and lies (docs/protocol.md)."""

from blink_cli.core.gossip.counters import GossipCounters
from blink_cli.core.gossip.effects import (
    Acknowledged,
    ClockRead,
    GossipEffect,
    MulticastHeard,
    Noticed,
    OtherVersion,
    Received,
    Told,
    Transmit,
)
from blink_cli.core.gossip.machine import Gossip
from blink_cli.core.gossip.paths import Address, Path, PathKind, relay_targets, unicast_path
from blink_cli.core.gossip.settings import GossipSettings

__all__ = [
    "Acknowledged",
    "Address",
    "ClockRead",
    "Gossip",
    "GossipCounters",
    "GossipEffect",
    "GossipSettings",
    "MulticastHeard",
    "Noticed",
    "OtherVersion",
    "Path",
    "PathKind",
    "Received",
    "Told",
    "Transmit",
    "relay_targets",
    "unicast_path",
]
