"""The bad networks that the voice benches measure on, by name."""

from typing import Final

from blink_cli.core.impairment.conditions import Conditions, Outage

FREEZE: Final = Outage(8.0, 0.6, held=True)

NAMED_CONDITIONS: Final[dict[str, Conditions]] = {
    "clean": Conditions(),
    "loss2": Conditions(loss=0.02),
    "loss5": Conditions(loss=0.05),
    "loss10": Conditions(loss=0.10),
    "loss20": Conditions(loss=0.20),
    "loss40": Conditions(loss=0.40),
    # Five packets of 20 ms in the mean.
    "ge10": Conditions(loss=0.10, bad_time_ms=100, bad_loss=0.75),
    # Each is held for a normal deviate, never less than nothing: half of them come at once, and packets overtake each other.
    "jit20": Conditions(jitter_ms=20),
    "jit40": Conditions(jitter_ms=40),
    "l5j20": Conditions(loss=0.05, jitter_ms=20),
    "freeze": Conditions(outages=(FREEZE,)),
    # The same with both halves of the bell, around three deviations.
    "fulljit20": Conditions(delay_ms=60, jitter_ms=20),
    "fulljit40": Conditions(delay_ms=120, jitter_ms=40),
}
