"""Seeded bad networks: when, if at all, each packet arrives."""

import random
from collections.abc import Callable
from typing import TypeAlias

Trace: TypeAlias = Callable[[float], float | None]
"""Given when a packet is sent, in seconds: when it arrives, or None when it is lost. Asked once for each packet, in order."""


def _clean(_rng: random.Random) -> Trace:
    return lambda sent_s: sent_s


def _loss(share: float) -> Callable[[random.Random], Trace]:
    return lambda rng: lambda sent_s: None if rng.random() < share else sent_s


def _gilbert_elliott(share: float, bad_packets: float, bad_loss: float) -> Callable[[random.Random], Trace]:
    """Loss in bursts: a bad state of `bad_packets` on average that loses `bad_loss`, so often that `share` is lost in all."""
    bad_share = share / bad_loss
    leave = 1 / bad_packets
    enter = leave * bad_share / (1 - bad_share)

    def make(rng: random.Random) -> Trace:
        bad = False

        def trace(sent_s: float) -> float | None:
            nonlocal bad
            bad = rng.random() >= leave if bad else rng.random() < enter
            return None if bad and rng.random() < bad_loss else sent_s

        return trace

    return make


def _jitter(deviation_s: float, share_lost: float = 0.0) -> Callable[[random.Random], Trace]:
    """Each packet is held for a normal deviate, never less than nothing, so packets overtake each other."""

    def make(rng: random.Random) -> Trace:
        def trace(sent_s: float) -> float | None:
            held_s = max(0.0, rng.gauss(0.0, deviation_s))
            return None if rng.random() < share_lost else sent_s + held_s

        return trace

    return make


def _full_jitter(deviation_s: float) -> Callable[[random.Random], Trace]:
    """The same with both halves of the bell, around three deviations of base delay."""
    return lambda rng: lambda sent_s: sent_s + max(0.0, rng.gauss(3 * deviation_s, deviation_s))


def _freeze(start_s: float, length_s: float) -> Callable[[random.Random], Trace]:
    """Nothing passes for a while, then everything that waited arrives at once."""
    return lambda _rng: (
        lambda sent_s: start_s + length_s if start_s <= sent_s < start_s + length_s else sent_s
    )


FREEZE_START_S = 8.0
FREEZE_LENGTH_S = 0.6

TRACES: dict[str, Callable[[random.Random], Trace]] = {
    "clean": _clean,
    "loss2": _loss(0.02),
    "loss5": _loss(0.05),
    "loss10": _loss(0.10),
    "loss20": _loss(0.20),
    "ge10": _gilbert_elliott(0.10, 5, 0.75),
    "jit20": _jitter(0.020),
    "jit40": _jitter(0.040),
    "l5j20": _jitter(0.020, 0.05),
    "freeze": _freeze(FREEZE_START_S, FREEZE_LENGTH_S),
    "fulljit20": _full_jitter(0.020),
    "fulljit40": _full_jitter(0.040),
}
