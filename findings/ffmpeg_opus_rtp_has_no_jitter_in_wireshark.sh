#!/bin/sh
# An Opus stream that FFmpeg sends by RTP shows no jitter and no delta in Wireshark, however unevenly its packets come.
#
# PyAV 18.1.0 (libavformat 62.12.102); TShark 4.0.17 (Debian 12).
#
# FFmpeg's RTP muxer sets the marker bit on every packet of Opus (201 of 201). RFC 3551, 4.1: the first packet behind a silence has it, all others have
# none, and who sends no silence never sets it. Wireshark takes each marked packet for the beginning of a talk spurt, whose distance from the packet
# before means nothing. The same packets, every second one 15 ms late, a clock rate told by SDP, in `tshark -q -z rtp,streams`:
#
#                            delta min, mean, max       jitter min, mean, max
#   as FFmpeg sends them    -1.000  0.000  0.000 ms    -1.000  0.000  0.000 ms
#   marker bits cleared      5.000 20.000 35.000 ms     0.938 13.875 15.000 ms
#
# Loss is counted right in both. That nothing was measured, only the -1 tells; by mean and maximum a stream that stutters looks perfect. The expectation
# that is wrong: that a mean jitter of 0.000 ms is a figure. What is computed by sequence number and time (RFC 3550, 6.4.1) needs no marker bit.
#
# Exits 0 if it is so, 1 if that has changed, 77 without python3, tshark 4.0, or PyAV 18.1.0.
set -eu
command -v python3 >/dev/null || { echo "skipped: python3 is missing"; exit 77; }
command -v tshark >/dev/null || { echo "skipped: tshark is missing"; exit 77; }
tshark --version 2>/dev/null | grep -q '^TShark (Wireshark) 4\.0\.' || { echo "skipped: this tshark is not 4.0"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" av==18.1.0 numpy==2.4.6 >/dev/null 2>&1 || { echo "skipped: av 18.1.0 cannot be installed"; exit 77; }
PYTHONPATH=$work/lib python3 - "$work" <<'PY'
import socket, struct, sys, threading
import av, numpy

def send(port):
    with av.open(f"rtp://127.0.0.1:{port}", "w", format="rtp") as output:
        stream = output.add_stream("libopus", rate=48_000, layout="mono")
        for number in range(200):
            frame = av.AudioFrame.from_ndarray(numpy.full((1, 960), number, numpy.int16), format="s16", layout="mono")
            frame.rate, frame.pts = 48_000, number * 960
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))

received = []
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
    listening.bind(("127.0.0.1", 0))
    listening.settimeout(2)
    sender = threading.Thread(target=send, args=(listening.getsockname()[1],))
    sender.start()
    while True:
        try:
            received.append(listening.recv(2048))
        except TimeoutError:
            break
    sender.join()
marked = [packet for packet in received if packet[1] & 0x7F == 97]  # the rest is RTCP
print(f"{sum(packet[1] >> 7 for packet in marked)} of {len(marked)} packets have the marker bit")
cleared = [bytes([packet[0], packet[1] & 0x7F]) + packet[2:] for packet in marked]

if len(marked) < 200 or not all(packet[1] >> 7 for packet in marked):
    sys.exit(1)
loopback = bytes([127, 0, 0, 1])
sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\n"
announcement = bytes([0x20, 0, 0, 1]) + loopback + b"application/sdp\0" + sdp.encode()
for name, packets in (("sent", marked), ("cleared", cleared)):
    with open(f"{sys.argv[1]}/{name}.pcap", "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101))  # raw IP
        for number, (port, payload) in enumerate([(9875, announcement), *((5004, packet) for packet in packets)]):
            at_us = number * 20_000 + number % 2 * 15_000
            udp = struct.pack("!HHHH", port, port, 8 + len(payload), 0) + payload
            packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0) + loopback * 2 + udp
            file.write(struct.pack("<IIII", at_us // 1_000_000, at_us % 1_000_000, len(packet), len(packet)) + packet)
PY
figures() { tshark -r "$work/$1.pcap" -q -z rtp,streams 2>/dev/null | awk '/127\.0\.0\.1/ { print $12, $13, $14, $15, $16, $17 }'; }
for name in sent cleared; do echo "$name: $(figures $name)"; done
test "$(figures sent)" = "-1.000 0.000 0.000 -1.000 0.000 0.000" && test "$(figures cleared)" = "5.000 20.000 35.000 0.938 13.875 15.000"
