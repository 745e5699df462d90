"""The figures that can be expected, each with one meaning wherever it is asked for.

Who evaluates expectations says which of these it knows: a running session knows no PESQ, and the laboratory in virtual time no start-up.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from blink_cli.core.expectation.quantity import Kind


class Figure(msgspec.Struct, frozen=True):
    """One word of the vocabulary."""

    name: str
    kind: Kind
    about: str
    """What it is, for `--help`, errors and the docs."""

    is_series: bool = False
    """Whether it has a value at every moment, so that `_p95`, `_max` and the like may be asked of it."""

    of_pictures: bool = False
    """Whether it is about what somebody shows; then it is nobody's who shows nothing."""

    knows_cameras: bool = False
    """Whether it takes who knows what a camera saw and when: the laboratory in virtual time."""

    of_pairs: bool = True
    """Whether it is about one voice at one listener. Otherwise it is the whole call's, and has no subject."""


FIGURES: Final[dict[str, Figure]] = {
    figure.name: figure
    for figure in (
        Figure("pesq", Kind.SCORE, "PESQ-WB of what was heard against what was said, 1 to 4.64"),
        Figure("mos", Kind.SCORE, "what the E-model makes of loss and delay, 1 to 4.5"),
        Figure("delay", Kind.TIME, "from mouth to ear", is_series=True),
        Figure("jitter", Kind.TIME, "interarrival jitter (RFC 3550)", is_series=True),
        Figure("rtt", Kind.TIME, "round trip of the network", is_series=True),
        Figure("loss", Kind.SHARE, "packets that never came, before any repair"),
        Figure("late", Kind.SHARE, "packets that came after their moment"),
        Figure("recovered", Kind.SHARE, "packets whose frame came in another one"),
        Figure("concealed", Kind.SHARE, "sound that was made up, since its packet was missing"),
        Figure("level", Kind.LEVEL, "how loud the voice is heard while it speaks", is_series=True),
        Figure("bitrate", Kind.RATE, "payload that was sent, copies included"),
        Figure(
            "gaps", Kind.COUNT, "stretches of 40 ms or more in a voice that were silent and should not be"
        ),
        Figure("heard", Kind.HAPPENING, "the voice came through; the time counts from the first word"),
        Figure("talking", Kind.HAPPENING, "it was told that somebody talks; the time counts from the word"),
        Figure("frames", Kind.COUNT, "pictures that were decoded", of_pictures=True),
        Figure("frozen", Kind.TIME, "for how long pictures stood that should not", of_pictures=True),
        Figure("frames_dropped", Kind.COUNT, "pictures that came and were not shown", of_pictures=True),
        Figure("picture_bitrate", Kind.RATE, "payload of pictures that came", of_pictures=True),
        Figure(
            "picture_delay",
            Kind.TIME,
            "from camera to screen",
            is_series=True,
            of_pictures=True,
            knows_cameras=True,
        ),
        Figure(
            "ssim",
            Kind.SCORE,
            "how much shown pictures are like what the camera saw, to 1",
            is_series=True,
            of_pictures=True,
            knows_cameras=True,
        ),
        Figure("psnr", Kind.LEVEL, "likewise, in dB", is_series=True, of_pictures=True, knows_cameras=True),
        Figure("whole_after", Kind.TIME, "until everybody had everybody's audio", of_pairs=False),
    )
}
"""By name."""

MOST_STATISTICS: Final = ("mean", "median", "min", "max", "pNN")


def vocabulary(names: Iterable[str]) -> dict[str, Figure]:
    """Return these figures, by name."""
    return {name: FIGURES[name] for name in names}
