"""The libraries under a link, without what they import and a call of voice does not use: a sixth of a session's memory in a call.

    aiortc ──> its peer connection, encoders and decoders ──> PyAV      left out: media of our own go over its transports
    aiortc.rtp ──> PyAV's AudioFrame, for an annotation                 left out while that is imported
    aioice.mdns ──> dnspython, to find names that end in .local         left out until there is such a name

Where others import these modules first, they are whole. Recordings, cameras and sound files import PyAV by themselves.

All of ours takes aiortc's names from here: Python has who imports a module that another thread imports just now wait until it is whole. The modules of
aiortc import each other in a circle, and two threads that begin with different ones of them see names that are not there yet.
"""

import importlib
import logging
from typing import Final

from blink_cli.runtime.on_demand import leave_out, take_in

_OF_DNSPYTHON: Final = ("dns.rdata", "dns.name", "dns.rdataset", "dns.message", "dns.zone")
"""What `aioice.mdns` names at its head and uses in its methods."""

_OF_AIORTC: Final = ("aiortc.clock", "aiortc.rtp", "aiortc.rtcdatachannel", "aiortc.sdp")
"""What a link uses, with what that imports: in an order in which the package does not need to have imported them."""


def _load() -> None:
    importlib.import_module("dns")
    for name in _OF_DNSPYTHON:
        leave_out(name)
    if leave_out("aiortc") is not None:
        # As the package does: nothing of its goes to the terminal.
        logging.getLogger("aiortc").addHandler(logging.NullHandler())
    pyav = leave_out("av", AudioFrame=object)
    for name in _OF_AIORTC:
        importlib.import_module(name)
    take_in(pyav)


_load()

from aiortc.rtcconfiguration import RTCIceServer, RTCIceTransportPolicy  # noqa: E402 - after what is to be left out
from aiortc.rtcdtlstransport import (  # noqa: E402 - after what is to be left out
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)
from aiortc.rtcicetransport import (  # noqa: E402 - after what is to be left out
    RTCIceCandidate,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceTransport,
)
from aiortc.sdp import (  # noqa: E402 - after what is to be left out
    MediaDescription,
    SessionDescription,
    candidate_from_sdp,
    candidate_to_sdp,
)

__all__ = [
    "MediaDescription",
    "RTCCertificate",
    "RTCDtlsFingerprint",
    "RTCDtlsParameters",
    "RTCDtlsTransport",
    "RTCIceCandidate",
    "RTCIceGatherer",
    "RTCIceParameters",
    "RTCIceServer",
    "RTCIceTransport",
    "RTCIceTransportPolicy",
    "SessionDescription",
    "candidate_from_sdp",
    "candidate_to_sdp",
]
