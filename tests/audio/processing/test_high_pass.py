"""The high-pass filter against its own formula."""

import numpy as np
import pytest

from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.processing.high_pass import HighPass
from blink_cli.audio.silent_block import SILENT_BLOCK

pytestmark = pytest.mark.no_clock


def test_the_high_pass_takes_the_offset_and_hum_and_leaves_voices() -> None:
    at = np.arange(48_000) / 48_000
    for hz, least_db, most_db in ((0.0, -200.0, -60.0), (30.0, -19.0, -15.0), (300.0, -0.1, 0.1)):
        high_pass = HighPass()
        sound = np.asarray(0.5 * np.cos(2 * np.pi * hz * at), np.float32)
        given = np.concatenate(
            [
                high_pass.process(CapturedBlock(block, block, SILENT_BLOCK, 0.0))
                for block in sound.reshape(-1, 480)
            ]
        )
        power = float(np.mean(given[24_000:] ** 2)) / float(np.mean(sound[24_000:] ** 2))
        assert least_db <= 10 * np.log10(power + 1e-20) <= most_db
