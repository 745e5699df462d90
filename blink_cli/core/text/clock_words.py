"""A difference of two clocks in words."""

from typing import Final

TOLD_FROM_S: Final = 60.0
"""Less than a minute is how ordinary clocks differ: not worth a word."""


def clock_difference(ahead_s: float) -> str:
    """`1 h ahead of`, `2 days 3 h behind`: what comes before "this one"; two units at most."""
    return f"{_amount(abs(ahead_s))} {'ahead of' if ahead_s >= 0 else 'behind'}"


def clock_sentence(name: str, ahead_s: float, *, proved: bool) -> str:
    """What is to be said of a peer's clock, without a full stop."""
    if proved:
        return f"{name}'s clock is {clock_difference(ahead_s)} this one"
    return (
        f"{name}'s clock seems to be {clock_difference(ahead_s)} this one, and it does not answer when asked (an older version?):"
        " what it says is not believed until the clocks agree"
    )


def _amount(seconds: float) -> str:
    if seconds < 59.5:
        return f"{round(seconds)} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours < 24:
        return _joined((hours, "h"), (minutes, "min"))
    days, hours = divmod(round(seconds / 3_600), 24)
    if days < 10:
        return _joined((days, "days" if days > 1 else "day"), (hours, "h"))
    years, days = divmod(round(seconds / 86_400), 365)
    if years < 10:
        return _joined((years, "years" if years > 1 else "year"), (days, "days" if days > 1 else "day"))
    return f"{round(seconds / 86_400 / 365.25)} years"


def _joined(*parts: tuple[int, str]) -> str:
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
