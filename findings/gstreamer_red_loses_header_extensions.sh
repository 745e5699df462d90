#!/bin/sh
# RTP header extensions do not survive RED in GStreamer, neither into it nor out of it, so audio levels are gone as soon as redundancy is switched on.
#
# GStreamer 1.22.0, gst-plugins-good and -bad 1.22.0 (Debian 12).
#
# Twenty RTP packets, each with an audio level (RFC 6464) in a one-byte header extension (RFC 8285), go through
#
#   rtpreddec, not RED (another payload type)   20 of 20 keep it
#   rtpreddec, as RED with only a primary block  0 of 20
#   rtpredenc                                    0 of 20
#
# Sequence number, timestamp and SSRC are kept; the X bit is cleared, without a warning. RFC 2198 puts one RTP header, that of the primary, in front of
# all blocks, so what is in it belongs to the primary. The payloaders write the extensions before rtpredenc, the depayloaders read them behind rtpreddec. (Of transport-wide
# sequence numbers GStreamer's log tells that rtpredenc makes room for them anew; that was not tried here.) The same stream without RED has its levels,
# and a capture of the RED packets shows them. The expectation that is wrong: that RED changes what a packet carries and not what its header says.
#
# Exits 0 if it is so, 1 if that has changed, 77 without gst-launch-1.0, its elements, or python3.
set -eu
command -v python3 >/dev/null || { echo "skipped: python3 is missing"; exit 77; }
command -v gst-launch-1.0 >/dev/null || { echo "skipped: gst-launch-1.0 is missing (gstreamer1.0-tools)"; exit 77; }
for element in pcapparse rtpreddec rtpredenc multifilesink; do
    gst-inspect-1.0 "$element" >/dev/null 2>&1 || { echo "skipped: $element is missing (gstreamer1.0-plugins-good, -bad)"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$work" <<'PY'
import struct, sys

loopback = bytes([127, 0, 0, 1])
for name, payload_type, block_header in (("opus", 96, b""), ("red", 63, bytes([96]))):
    with open(f"{sys.argv[1]}/{name}.pcap", "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101))  # raw IP
        for number in range(20):
            level = struct.pack("!HHBBxx", 0xBEDE, 1, 0x10, 0x80 | number)
            rtp = struct.pack("!BBHII", 0x90, payload_type, number, number * 960, 7) + level + block_header + bytes(80)
            udp = struct.pack("!HHHH", 5004, 5004, 8 + len(rtp), 0) + rtp
            packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0) + loopback * 2 + udp
            file.write(struct.pack("<IIII", 0, number * 20_000, len(packet), len(packet)) + packet)
PY
through() { # NAME CAPTURE PAYLOAD-TYPE ENCODING ELEMENT...: what comes out, a file a packet
    name=$1 capture=$2 caps="application/x-rtp,media=(string)audio,payload=(int)$3,clock-rate=(int)48000,encoding-name=(string)$4"
    shift 4
    mkdir "$work/$name"
    timeout 60 gst-launch-1.0 -q filesrc "location=$work/$capture.pcap" ! pcapparse "caps=$caps" ! "$@" ! multifilesink "location=$work/$name/%02d" >/dev/null
}
through passed opus 96 OPUS rtpreddec pt=63
through decoded red 63 RED rtpreddec pt=63
through encoded opus 96 OPUS rtpredenc pt=63 allow-no-red-blocks=true
python3 - "$work" <<'PY'
import pathlib, sys

kept = {}
for name in ("passed", "decoded", "encoded"):
    packets = [file.read_bytes() for file in sorted((pathlib.Path(sys.argv[1]) / name).iterdir())]
    kept[name] = (len(packets), sum(packet[0] >> 4 & 1 for packet in packets))
    print(f"{name}: {kept[name][0]} packets, {kept[name][1]} with their header extension")
sys.exit(kept != {"passed": (20, 20), "decoded": (20, 0), "encoded": (20, 0)})
PY
