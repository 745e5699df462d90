#!/bin/sh
# Once sound is followed by exact zeros, WebRTC's echo canceller takes ten times as long for a block.
#
# pywebrtc-audio 0.2.0 (WebRTC AEC3), numpy 2.4.6; Debian 12, x86-64.
#
# A canceller is given two seconds of noise as `far`, then silence: zeros, as every jitter buffer and mixer plays between two words. `near` is noise
# all the time. Processor time of a block of 10 ms, each the cheapest of a hundred, with `far` as
#
#   noise                      100 us
#   exact zeros              1,000 us, within two seconds, and 1,500 later
#   +-1e-8 (160 dB below)      100 us
#
# The filters decay into subnormal numbers, and nothing sets the processor's flush-to-zero. Browsers never see it, where the far end comes with
# noise of its own. The expectation that is wrong: that a silent far end costs no more than one that talks.
#
# Exits 1 when silence costs no more than three times as much any more, 77 without python3 or the package.
set -eu
command -v python3 >/dev/null || { echo "skipped: python3 is missing"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --target "$work/lib" pywebrtc-audio==0.2.0 numpy==2.4.6 >/dev/null 2>&1 || { echo "skipped: pywebrtc-audio cannot be installed"; exit 77; }
PYTHONPATH="$work/lib" OPENBLAS_NUM_THREADS=1 python3 - <<'PY'
import sys, time
import numpy as np
from pywebrtc_audio import EchoCanceller

noise = (np.random.default_rng(1).standard_normal((100, 480)) * 0.05).astype(np.float32)
zeros = np.zeros(480, np.float32)
nearly = np.tile(np.array([1e-8, -1e-8], np.float32), 240)


def cheapest_us(canceller, far):
    costs = []
    for index in range(100):
        began = time.thread_time()
        canceller.process(noise[index], noise[(index + 7) % 100] if far is None else far)
        costs.append(time.thread_time() - began)
    return min(costs) * 1e6


def behind_noise_us(far):
    canceller = EchoCanceller(sample_rate=48_000)
    talking = min(cheapest_us(canceller, None) for _ in range(2))
    return talking, [cheapest_us(canceller, far) for _ in range(6)][-1]


talking, silent = behind_noise_us(zeros)
_, nearly_silent = behind_noise_us(nearly)
print(f"far is noise {talking:.0f} us, then zeros {silent:.0f} us, or +-1e-8 {nearly_silent:.0f} us")
if silent <= 3.0 * talking:
    sys.exit("silence costs no more any longer")
if nearly_silent > 3.0 * talking:
    sys.exit("it is not the zeros")
PY
