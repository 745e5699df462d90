"""An estimate of how a conversation is judged: R and MOS by the structure of the wideband E-model.

    R = R0 - Idd(delay) - Ie,eff(loss)        R0 = 129 on the wideband scale
    MOS from R / 1.29

The E-model has no agreed constants for Opus: every estimate carries its model's name, its constants and its inputs, and is comparable with
estimates of the same constants only.

Source: ITU-T G.107.1 (structure, R0, the factor 1.29); ITU-T G.107, section 7 (Idd, Ie,eff) and annex B (MOS).
"""

import math
from typing import Final, Literal

import msgspec

MODEL: Final = "E-model after ITU-T G.107.1 (wideband), constants for Opus assumed"

NOTE: Final = "No E-model constants are agreed for Opus. Ie and Bpl were fitted by this project; compare only with its own estimates."

R0: Final = 129.0
"""Wideband, everything else at its default."""

IE: Final = 0.0
"""Opus at 24 kb/s and more, undisturbed: PESQ-WB 4.45, the top of the scale within its error."""

BPL: Final = 3.5
"""Robustness against loss that repair did not mend. Fitted to the PESQ-WB of libopus's concealment under random loss, of three recorded voices:
3.81 at 2 %, 2.89 at 5 %, 2.19 at 10 %, which give 3.8, 3.4 and 2.9."""

GOOD_MOS: Final = 4.0
FAIR_MOS: Final = 3.4
"""G.107, annex B: from R 80 users are satisfied (MOS 4.03), below R 65 nearly all complain (3.4)."""

LOOK_AHEAD_MS: Final = 6.5
"""Of Opus (RFC 6716, section 2): so much later than it went in comes what was said."""

FRAME_MS: Final = 20.0
"""A frame, which has to be full before it leaves: what is known of a sender that says nothing of its clock."""

WIDEBAND_SCALE: Final = 1.29
"""By which R is above the narrowband scale's, 0 to 100."""

_PERCEIVED_DELAY_MS: Final = 100.0
"""Shorter delays do not count (mT, the default of G.107)."""


Grade = Literal["good", "fair", "poor"]


class QualityEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """R, MOS, and all that went into them."""

    model: str
    r: float
    """0 to 129 on the wideband scale."""

    mos: float
    """Conversational, 1 to 4.5."""

    inputs: dict[str, float]
    note: str


def estimate(*, lost_share: float, burst_ratio: float, one_way_delay_ms: float) -> QualityEstimate:
    """Estimate the quality of one direction.

    Args:
        lost_share: What was still missing when it was due to be played, 0 to 1.
        burst_ratio: How its runs compare with random loss: BurstR, 1 for random.
        one_way_delay_ms: From mouth to ear as far as it is known: codec, network, buffer; without the devices.

    """
    loss_percent = 100.0 * lost_share
    burst_ratio = max(burst_ratio, 1.0)  # G.107 defines none below
    equipment = IE + (95.0 - IE) * loss_percent / (loss_percent / burst_ratio + BPL)
    r = max(R0 - _delay_impairment(one_way_delay_ms) - equipment, 0.0)
    return QualityEstimate(
        model=MODEL,
        r=round(r, 1),
        mos=round(_mos(r / WIDEBAND_SCALE), 2),
        inputs={
            "r0": R0,
            "ie": IE,
            "bpl": BPL,
            "loss_percent": round(loss_percent, 3),
            "burst_ratio": round(burst_ratio, 3),
            "one_way_delay_ms": round(one_way_delay_ms, 1),
        },
        note=NOTE,
    )


def _delay_impairment(delay_ms: float) -> float:
    """Idd of G.107 with its default sensitivity."""
    if delay_ms <= _PERCEIVED_DELAY_MS:
        return 0.0
    x = math.log2(delay_ms / _PERCEIVED_DELAY_MS)
    return 25.0 * (math.pow(1 + x**6, 1 / 6) - 3 * math.pow(1 + (x / 3) ** 6, 1 / 6) + 2)


def grade(mos: float) -> Grade:
    """Return an estimate in a word."""
    if mos >= GOOD_MOS:
        return "good"
    return "fair" if mos >= FAIR_MOS else "poor"


def _mos(r: float) -> float:
    """G.107, annex B."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    # The cubic dips below 1 for tiny R.
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
