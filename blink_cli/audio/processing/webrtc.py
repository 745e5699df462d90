"""The door to pywebrtc-audio: WebRTC's echo canceller, noise suppressor and gain control. The only module that imports it.

The library checks nothing. Blocks that are no multiple of 480 samples are padded in silence, one that is not finite poisons its filters for
good, another rate is another sound. So what goes in is looked at here, block by block.
"""

import threading
from types import ModuleType
from typing import TYPE_CHECKING, Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES

if TYPE_CHECKING:
    import pywebrtc_audio

LOUDEST: Final = 4.0
"""Beyond this a sample is no sound: the library works with 16-bit numbers inside."""

_LOADING: Final = threading.Lock()
"""One thread at a time: who waits in Python for another's import that fails is given half a module in place of the failure."""

_NO_ZEROS: Final = np.tile(np.array([1e-8, -1e-8], np.float32), TICK_SAMPLES // 2)
"""Added to what is played, 160 dB below full scale: exact zeros leave AEC3 with numbers so small that processors take ten times as long for them."""


class UnavailableError(Exception):
    """The library is not there; its text is a sentence."""


class UnfitBlockError(ValueError):
    """A block that the library must not see. A mistake of whoever calls."""


def library() -> ModuleType:
    """Return the module pywebrtc_audio.

    Raises:
        UnavailableError: It is not installed, or does not load.

    """
    try:
        with _LOADING:
            import pywebrtc_audio  # noqa: PLC0415 - there are platforms without it, and most sessions of files never need it
    except (ImportError, OSError) as error:
        raise UnavailableError(
            f"The library pywebrtc-audio cannot be loaded here ({error}). `blink doctor` tells how to get it."
        ) from error
    return pywebrtc_audio


def why_unavailable() -> str | None:
    """Return in sentences why there is no library here, and what to do; None if there is. Loads it: 30 ms the first time."""
    try:
        library()
    except UnavailableError as error:
        return str(error)
    return None


class WebrtcEchoCanceller:
    """AEC3, behind a high-pass filter of its own."""

    def __init__(self) -> None:
        self._canceller: pywebrtc_audio.EchoCanceller = library().EchoCanceller(
            sample_rate=SAMPLE_RATE_HZ, num_channels=1
        )

    def process(self, near: Samples, far: Samples) -> Samples:
        """Return `near` without what comes from `far`; both shape (480,)."""
        return _checked(self._canceller.process(_fit(near), _fit(far) + _NO_ZEROS))


class WebrtcNoiseSuppressor:
    """Takes steady noise out."""

    def __init__(self, level: int) -> None:
        """Prepare.

        Args:
            level: 0 to 3: 6, 12, 18, 20 dB.

        """
        self._suppressor: pywebrtc_audio.NoiseSuppressor = library().NoiseSuppressor(
            sample_rate=SAMPLE_RATE_HZ, num_channels=1, level=level
        )

    def process(self, block: Samples) -> Samples:
        """Return `block`, shape (480,), with less noise."""
        return _checked(self._suppressor.process(_fit(block)))

    @property
    def speech_probability(self) -> float:
        """Of the last block, 0 to 1."""
        return float(self._suppressor.speech_probability)


class WebrtcGainController:
    """AGC2: brings speech to a steady loudness, and limits."""

    def __init__(self, most_gain_db: float, most_noise_dbfs: float) -> None:
        """Prepare.

        Args:
            most_gain_db: More is never added.
            most_noise_dbfs: Pauses are not raised above this.

        """
        self._controller: pywebrtc_audio.GainController = library().GainController(
            sample_rate=SAMPLE_RATE_HZ,
            num_channels=1,
            max_gain_db=most_gain_db,
            max_output_noise_level_dbfs=most_noise_dbfs,
        )

    def process(self, block: Samples) -> Samples:
        """Return `block`, shape (480,), louder or as it is."""
        return _checked(self._controller.process(_fit(block)))

    @property
    def gain_db(self) -> float:
        """What is added now."""
        return float(self._controller.gain_db)


def _fit(block: Samples) -> Samples:
    """Return the block as the library wants it: one row in memory."""
    if block.shape != (TICK_SAMPLES,) or block.dtype != np.float32:
        raise UnfitBlockError(f"A block has shape {block.shape} of {block.dtype}, not (480,) of float32.")
    # Written so that what is not a number fails as well.
    if not (float(block.max()) <= LOUDEST and float(block.min()) >= -LOUDEST):
        raise UnfitBlockError(
            "A block holds what is no sound: infinite, not a number, or far beyond full scale."
        )
    return np.ascontiguousarray(block)


def _checked(block: Samples) -> Samples:
    """Return what the library gave, if it is sound.

    Raises:
        UnfitBlockError: It is not.

    """
    if block.shape != (TICK_SAMPLES,) or not np.isfinite(np.dot(block, block)):
        raise UnfitBlockError("pywebrtc-audio gave back what is no sound.")
    return block
