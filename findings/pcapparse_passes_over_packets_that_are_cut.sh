#!/bin/sh
# GStreamer's pcapparse gives nothing of a capture that was made with a snapshot length, and says nothing.
#
# GStreamer 1.22.0, gst-plugins-bad 1.22.0 (Debian 12); tcpdump 4.99.3 reads the same file.
#
# A hundred RTP packets of 200 bytes, in one capture whole and in another as `tcpdump -s 60` leaves them: IP, UDP and RTP headers all there, the
# payload cut. tcpdump and Wireshark list 100 of each. pcapparse gives
#
#   whole   100 buffers
#   cut       0 buffers, no warning, no message on the bus, exit code 0
#
# It drops each packet whose UDP length goes beyond what was kept. The expectation that is wrong: that a tool for RTP from captures takes such as
# carry headers alone (the usual way to keep what was said out of them), or tells why not. What wants to be read by it must be padded to its length.
#
# Exits 1 when that has changed, 77 without gst-launch-1.0, its pcapparse, or python3.
set -eu
command -v python3 >/dev/null || { echo "skipped: python3 is missing"; exit 77; }
command -v gst-launch-1.0 >/dev/null || { echo "skipped: gst-launch-1.0 is missing (gstreamer1.0-tools)"; exit 77; }
gst-inspect-1.0 pcapparse >/dev/null 2>&1 || { echo "skipped: pcapparse is missing (gstreamer1.0-plugins-bad)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$work" <<'PY'
import struct, sys

for name, snapshot in (("whole", 65_535), ("cut", 60)):
    with open(f"{sys.argv[1]}/{name}.pcap", "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snapshot, 101))  # raw IP
        for number in range(100):
            rtp = struct.pack("!BBHII", 0x80, 96, number, number * 960, 7) + bytes(188)
            udp = struct.pack("!HHHH", 5004, 5004, 8 + len(rtp), 0) + rtp
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0, b"\n\0\0\1", b"\n\0\0\2")
            packet = head + udp
            file.write(struct.pack("<IIII", number // 50, number % 50 * 20_000, len(packet[:snapshot]), len(packet)))
            file.write(packet[:snapshot])
PY
gst-launch-1.0 --version | head -1
for name in whole cut; do
  gst-launch-1.0 -v filesrc location="$work/$name.pcap" ! pcapparse ! fakesink silent=false >"$work/$name.log" 2>&1
  eval "$name=\$(grep -c chain "$work/$name.log" || true)"
  grep -iE 'warn|error' "$work/$name.log" && said=yes || said=no
  eval "echo \"$name: \$$name buffers, warnings or errors: $said\""
  if command -v tcpdump >/dev/null; then echo "  tcpdump lists $(tcpdump -n -r "$work/$name.pcap" 2>/dev/null | wc -l)"; fi
done
[ "$whole" = 100 ] && [ "$cut" = 0 ] && [ "$said" = no ]
