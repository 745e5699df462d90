#!/bin/sh
# A soxr stream with `vr=True` tells a delay that is not its own, slews over output samples, and has no quality to choose.
#
# soxr 1.1.0 (PyPI, with its own libsoxr), numpy 2.4.6; CPython 3.11, Linux x86-64.
#
# Its documentation says of `delay()`: the pending output, in output samples; of `slew_len`: a length in input samples; of `quality`: QQ to VHQ, with no exception for `vr`.
# So whoever follows a sound card's clock adds `delay()` to what he holds, and plans a change of rate by what he feeds. A stream of fixed rate keeps all of it. With `vr=True`:
#
#                                      told       so
#   held back, 16 to 48 kHz            100        720 samples, as the flush at the end gives them (44.1 kHz: 100, 261; 48 kHz: 100, 240)
#   slew_len=3000, 2 to 4 in per out   3,000 in   3,000 out, in which 9,000 in are taken
#   the same noise at QQ … VHQ         5 ways     one and the same, bit by bit; fixed rates give five
#
# At 16 kHz the figure is 13 ms short: so far sound and picture, or an echo and its reference, stand apart unseen. Only counting what went in and
# came out tells the delay. The expectation that is wrong: that what the three mean does not hang on `vr`.
#
# Exits 0 if it is so, 1 if one of the three has changed, 77 without python3 or the packages.
set -eu
command -v python3 >/dev/null || { echo "skipped: python3 is missing"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" soxr==1.1.0 numpy==2.4.6 >/dev/null 2>&1 || { echo "skipped: soxr 1.1.0 cannot be installed"; exit 77; }
PYTHONPATH="$work/lib" OPENBLAS_NUM_THREADS=1 python3 - <<'PY'
import sys

import numpy as np
import soxr

OUT = 48_000
so = True


def stream(rate, vr, quality="HQ"):
    return soxr.ResampleStream(rate, OUT, 1, dtype="float32", quality=quality, vr=vr)


for rate in (16_000, 44_100, 48_000):
    for vr in (False, True):
        one = stream(rate, vr)
        came = sum(len(one.resample_chunk(np.zeros(rate // 100, np.float32))) for _ in range(100))
        held, told = OUT - came, one.delay()
        at_the_end = len(one.resample_chunk(np.zeros(0, np.float32), last=True))
        print(f"{rate} Hz, vr={vr}: holds {held} samples, tells {told:.0f}, gives {at_the_end} at the end")
        so = so and abs(held - at_the_end) <= 2 and (abs(held - told) > 100 if vr else abs(held - told) <= 2)

ramp = np.arange(80_000, dtype=np.float64) / 40_000 - 1  # each output sample tells its place in the input
one = soxr.ResampleStream(192_000, OUT, 1, dtype="float32", vr=True)
one.set_io_ratio(96_000, OUT)
one.resample_chunk(ramp[:40_000].astype(np.float32))
one.set_io_ratio(192_000, OUT, slew_len=3_000)
place = one.resample_chunk(ramp[40_000:].astype(np.float32)).astype(np.float64) * 40_000
steps = (place[100:] - place[:-100]) / 100
slewed = int(np.argmax(steps > 3.98)) + 50
taken = place[slewed] - place[0]
print(f"slew_len=3000: {slewed} output samples, {taken:.0f} input samples")
so = so and abs(slewed - 3_000) < 100 and abs(taken - 9_000) < 300

noise = np.random.default_rng(1).standard_normal(16_000).astype(np.float32)
for vr in (False, True):
    ways = len({stream(16_000, vr, quality).resample_chunk(noise).tobytes() for quality in ("QQ", "LQ", "MQ", "HQ", "VHQ")})
    print(f"five qualities, vr={vr}: {ways} different results")
    so = so and ways == (1 if vr else 5)
sys.exit(0 if so else 1)
PY
