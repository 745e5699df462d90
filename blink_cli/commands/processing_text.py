"""What is done to the microphone's sound, in words."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from blink_cli.commands.names_shown import clause
from blink_cli.core.api.replies.processing import (
    AutomuteState,
    EchoState,
    GainState,
    NoiseState,
    ProcessingState,
)
from blink_cli.core.identity.shown_name import printable

UNAVAILABLE: Final = "unavailable"
MUTING: Final = "muting"
"""What automute's state is while others talk."""

_WORDS: Final = {
    "echo": "echo cancelling",
    "noise": "noise suppression",
    "gain": "automatic gain",
    "voice": "telling speech by its sound",
}


def unavailable(filters: Sequence[str]) -> str:
    """Say which filters cannot run: the beginning of a sentence."""
    names = [_WORDS.get(name, printable(name)) for name in filters]
    named = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f"{named} {'is' if len(names) == 1 else 'are'} not possible"


def processing_lines(state: ProcessingState) -> Iterator[str]:
    """Say of each filter what was chosen and what it does, in a line."""
    yield f"echo    {echo_text(state.echo)}"
    yield f"noise   {noise_text(state.noise)}"
    yield f"gain    {gain_text(state.gain)}"
    if state.automute.chosen:
        yield f"mute    automute {automute_text(state.automute)}"
    if state.voice.reason is not None:
        yield f"talking told by {state.voice.told_by}: {clause(state.voice.reason)}"


def echo_text(echo: EchoState) -> str:
    """Say whether echo is cancelled, why, and how much of it."""
    if echo.state == UNAVAILABLE:
        return _not_possible(echo.chosen, echo.reason)
    auto = "auto: " if echo.chosen == "auto" else ""
    figures = [] if echo.removed_db is None else [f"{echo.removed_db:.0f} dB removed"]
    figures += [] if echo.delay_ms is None else [f"it comes {echo.delay_ms:.0f} ms late"]
    figures += [] if echo.own_return_ms is None else [own_return_text(echo.own_return_ms)]
    why = f" ({printable(echo.reason)})" if echo.reason is not None else ""
    return ", ".join([f"{auto}{echo.state}{why}", *figures])


def own_return_text(own_return_ms: float) -> str:
    """Say that one's own voice comes back, and why."""
    return f"your own voice comes back after {own_return_ms:.0f} ms: another speaker in this room plays it"


def noise_text(noise: NoiseState) -> str:
    """Say how much noise is suppressed."""
    if noise.state == UNAVAILABLE:
        return _not_possible(noise.chosen, noise.reason)
    return noise.state if noise.removed_db is None else f"{noise.state}, {noise.removed_db:.0f} dB removed"


def gain_text(gain: GainState) -> str:
    """Say what automatic gain adds."""
    if gain.state == UNAVAILABLE:
        return _not_possible("on", gain.reason)
    return gain.state if gain.gain_db is None else f"{gain.state}, {gain.gain_db:+.0f} dB"


def automute_text(automute: AutomuteState) -> str:
    """Say whether one is muted while others talk."""
    return "on, and others talk: you are muted" if automute.state == MUTING else automute.state


def processing_in_short(state: ProcessingState) -> str:
    """Say in a few words what runs: `echo -32 dB, noise -12 dB, gain +6 dB`; nothing where nothing does."""
    return ", ".join(_running(state))


def not_running(state: ProcessingState) -> str:
    """Name what was asked for and cannot run, in a few words."""
    missing = [
        name
        for name, one in (("echo", state.echo), ("noise", state.noise), ("gain", state.gain))
        if one.state == UNAVAILABLE
    ]
    return unavailable(missing) if missing else ""


def _running(state: ProcessingState) -> Iterable[str]:
    echo, noise, gain = state.echo, state.noise, state.gain
    if echo.state == "on":
        yield "echo cancelled" if echo.removed_db is None else f"echo {-round(echo.removed_db)} dB"
    if noise.state not in {"off", UNAVAILABLE}:
        yield f"noise {noise.state}" if noise.removed_db is None else f"noise {-round(noise.removed_db)} dB"
    if gain.state == "on":
        yield "gain auto" if gain.gain_db is None else f"gain {gain.gain_db:+.0f} dB"


def _not_possible(chosen: str, reason: str | None) -> str:
    return f"{chosen}, but not possible: {clause(reason or '')}"
