"""What session descriptions in a capture say of payload types: of SIP, RTSP and SAP, where they travel in the clear.

    m=audio 5004 RTP/AVP 111 63
    a=rtpmap:111 opus/48000/2

Only these lines are read, and `a=extmap` of the audio level. Source: RFC 8866 (SDP), RFC 6464.
"""

import re
from typing import Final, NamedTuple

from blink_cli.core.media.rtp_header import AUDIO_LEVEL_URI

MOST_PORTS: Final = 256
"""Of which descriptions are remembered."""

_LONGEST_BYTES: Final = 16_384
_MEDIA: Final = re.compile(rb"m=\w+ (\d{1,5})(?:/\d+)? (?:UDP/)?(?:TLS/)?RTP/S?AVPF?[ \r\n]")
_RTPMAP: Final = re.compile(rb"a=rtpmap:(\d{1,3}) ([\w.+-]{1,32})/(\d{1,6})")
_LEVEL: Final = re.compile(rb"a=extmap:(\d{1,2})(?:/\w+)? " + re.escape(AUDIO_LEVEL_URI.encode()))


class Described(NamedTuple):
    """What was said of one port."""

    types: dict[int, tuple[str, int]]
    """Codec and clock rate by payload type."""

    audio_level_id: int | None


class Descriptions:
    """Of a whole capture, by the port on which media were announced."""

    def __init__(self) -> None:
        self._ports: dict[int, Described] = {}

    def look(self, payload: bytes) -> None:
        """Read what a datagram describes, if it does."""
        if b"v=0\r\n" not in payload[:_LONGEST_BYTES] and b"v=0\n" not in payload[:_LONGEST_BYTES]:
            return
        port = None
        for line in payload[:_LONGEST_BYTES].splitlines():
            if line.startswith(b"m="):
                media = _MEDIA.match(line + b"\n")
                port = int(media[1]) & 0xFFFF if media else None
                if port is not None and port not in self._ports and len(self._ports) < MOST_PORTS:
                    self._ports[port] = Described({}, None)
            elif port is None or port not in self._ports:
                continue
            elif (found := _RTPMAP.match(line)) is not None:
                number, rate_hz = int(found[1]), int(found[3])
                if number < 128 and 1_000 <= rate_hz <= 192_000:
                    self._ports[port].types[number] = found[2].decode("ascii"), rate_hz
            elif (level := _LEVEL.match(line)) is not None and 1 <= int(level[1]) <= 14:
                self._ports[port] = self._ports[port]._replace(audio_level_id=int(level[1]))

    def of_ports(self, target_port: int, source_port: int) -> Described | None:
        """What was said of a stream between these ports: its receiver's description, else its sender's."""
        return self._ports.get(target_port) or self._ports.get(source_port)
