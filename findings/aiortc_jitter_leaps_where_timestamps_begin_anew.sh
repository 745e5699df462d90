#!/usr/bin/env bash
# aiortc 1.16.0 (PyPI), CPython 3.11, Linux: the jitter of a steady stream leaps to 93 minutes when its RTP timestamps pass 2^32, and receiver reports tell it to the sender.
#
# Expected: interarrival jitter as RFC 3550 (6.4.1, A.8) computes it, in arithmetic modulo 2^32, as for every RTP timestamp. Sequence numbers are treated so, and pass 65,535 unseen.
#
# Seen: a packet comes every 20 ms. Over the seam the plain difference of two timestamps is -4,294,966,336, and a sixteenth of that goes into the average: 268 million ticks of 48 kHz, which
# is 5,592 s. It falls by a sixteenth a packet: 2.7 s pass until it is below a second, 4.8 s until below a millisecond. `getStats` and the receiver reports read that value, and nothing else
# of the stream is amiss. Timestamps begin at random, so a call of an hour at 48 kHz meets the seam with a chance of one in 25, one of a day nearly always; short tests do not.
#
# Exits 0 if it is so, 1 if it is not, 77 if aiortc cannot be had here.
set -euo pipefail

command -v python3 >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/site" aiortc==1.16.0 2>/dev/null || exit 77

cat >"$work/try.py" <<'PY'
import sys
import time

from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtpPacket

RATE, STEP, PACKETS = 48_000, 960, 40


def jitter_s(first_timestamp: int, first_sequence_number: int) -> tuple[float, float, float]:
    """Half of the packets come before the seam, half behind: jitter before, just behind it, and at the end."""
    statistics, told = StreamStatistics(RATE), []
    begin = time.monotonic()
    for number in range(PACKETS):
        time.sleep(max(0.0, begin + number * 0.02 - time.monotonic()))
        packet = RtpPacket(
            sequence_number=(first_sequence_number + number) % 2**16, timestamp=(first_timestamp + number * STEP) % 2**32, ssrc=7
        )
        statistics.add(packet)
        told.append(statistics.jitter / RATE)
    return told[PACKETS // 2 - 1], told[PACKETS // 2], told[-1]


seams = {
    "none": (1_000, 1_000),
    "of sequence numbers": (1_000, 2**16 - PACKETS // 2),
    "of timestamps": (2**32 - PACKETS // 2 * STEP, 1_000),
}
seen = {name: jitter_s(*begins) for name, begins in seams.items()}
for name, (before, behind, at_the_end) in seen.items():
    print(f"seam {name}: jitter {before:.3f} s before, {behind:.3f} s behind, {at_the_end:.3f} s {PACKETS // 2 - 1} packets later")
steady = all(max(seen[name]) < 1.0 for name in ("none", "of sequence numbers"))
sys.exit(0 if steady and seen["of timestamps"][0] < 1.0 and seen["of timestamps"][1] > 5_000.0 else 1)
PY
PYTHONPATH="$work/site" python3 "$work/try.py"
