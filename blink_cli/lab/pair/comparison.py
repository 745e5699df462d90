"""What became of a sound on its way: everything that can be told from the two waveforms, without a judge."""

from dataclasses import dataclass

import numpy as np

from blink_cli.lab.pair.clicks import clicks
from blink_cli.lab.pair.delays import Delays, windowed_delays
from blink_cli.lab.pair.missing import MissingSound, missing_sound
from blink_cli.lab.pair.offset import offset_samples
from blink_cli.lab.voice_metrics import RATE_HZ, WINDOW_S, Samples


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found."""

    delays: Delays
    level_change_db: float
    """By how much louder it was heard: the median over the windows."""

    missing: MissingSound
    clicks: tuple[float, ...]
    """In seconds of what was heard."""


def compare(sent: Samples, heard: Samples) -> Comparison | None:
    """Compare two sounds, mono at 16 kHz, of any length; None where nothing of the one is found in the other. Some seconds for each minute."""
    offset = offset_samples(sent, heard)
    if offset is None:
        return None
    delays = windowed_delays(sent, heard, offset)
    if not delays.windows:
        return None
    change_db = _level_change_db(sent, heard, delays)
    gain = 10 ** (change_db / 20)
    sources = delays.sources(len(heard))
    missing = missing_sound(sent, heard, sources, gain)
    return Comparison(
        delays,
        change_db,
        missing,
        clicks(sent, heard, sources, gain, (*missing.gaps, *missing.clipped_starts)),
    )


def _level_change_db(sent: Samples, heard: Samples, delays: Delays) -> float:
    size = round(WINDOW_S * RATE_HZ)
    changes = []
    for one in delays.windows:
        said = round((one.at_s - WINDOW_S / 2) * RATE_HZ)
        came = round((one.at_s - WINDOW_S / 2 + one.delay_s) * RATE_HZ)
        if came < 0 or came + size > len(heard):
            continue
        power = _power(sent[said : said + size])
        if power > 0.0:
            changes.append(_power(heard[came : came + size]) / power)
    return 10 * float(np.log10(max(float(np.median(changes)), 1e-12))) if changes else 0.0


def _power(sound: Samples) -> float:
    return float(np.mean(sound.astype(np.float64) ** 2))
