"""What Opus can be asked for on this machine, and which judges are installed."""

import importlib.util
from typing import Final, get_args

from blink_cli.audio.opus.library import used_library
from blink_cli.codec.figures import BandwidthName, CodecInfo, ExtraState, FrameLength
from blink_cli.codec.options import OPUS_RATES_HZ, SAMPLE_FORMATS
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.codec_settings import (
    FRAME_LENGTHS_MS,
    HIGHEST_BITRATE_BPS,
    LOWEST_BITRATE_BPS,
    SHORTEST_SPEECH_FRAME_MS,
    Application,
)
from blink_cli.runtime.extras import PROGRAM

_BANDWIDTHS: Final = (
    BandwidthName(name="narrow", up_to_hz=4_000, opus=1101),
    BandwidthName(name="medium", up_to_hz=6_000, opus=1102),
    BandwidthName(name="wide", up_to_hz=8_000, opus=1103),
    BandwidthName(name="superwide", up_to_hz=12_000, opus=1104),
    BandwidthName(name="full", up_to_hz=20_000, opus=1105),
)
_EXTRAS: Final = (
    ("lab", "PESQ-WB", "pesq"),
    ("visqol", "ViSQOL", "visqol"),
    ("plot", "pictures", "matplotlib"),
)


def possibilities() -> CodecInfo:
    """Look for libopus and for extras.

    Raises:
        DeviceError: There is no libopus that works.

    """
    used = used_library().used
    return CodecInfo(
        library=used.abilities.version,
        library_path=used.path,
        rates_hz=OPUS_RATES_HZ,
        frames=tuple(
            FrameLength(
                frame_ms=length_ms,
                samples={
                    str(rate): int(SAMPLE_RATE_HZ * length_ms) // 1000 * rate // SAMPLE_RATE_HZ
                    for rate in OPUS_RATES_HZ
                },
                fec=length_ms >= SHORTEST_SPEECH_FRAME_MS,
            )
            for length_ms in FRAME_LENGTHS_MS
        ),
        bandwidths=_BANDWIDTHS,
        applications=get_args(Application),
        lowest_bitrate_bps=LOWEST_BITRATE_BPS,
        highest_bitrate_bps=HIGHEST_BITRATE_BPS,
        sample_formats=SAMPLE_FORMATS,
        extras=tuple(
            ExtraState(
                name=extra,
                what=what,
                installed=importlib.util.find_spec(module) is not None,
                install=f"pip install '{PROGRAM}[{extra}]'",
            )
            for extra, what, module in _EXTRAS
        ),
    )
