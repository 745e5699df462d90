"""Reading DRED: what a packet tells, at a few hundred bits a frame, of the sound before it.

    payload --parse, 13 us--> what it covers --process, 0.15 ms--> features --the decoder's network, 0.5 ms for 10 ms--> sound

Source: the libopus 1.6 API, opus_dred_decoder; draft-ietf-mlcodec-opus-dred.
"""

import ctypes
import weakref
from ctypes import c_int
from typing import Final

from blink_cli.audio.opus.binding import can_read_dred
from blink_cli.audio.opus.library import check, libopus
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.opus_packet import dred_version

MOST_SAMPLES: Final = SAMPLE_RATE_HZ // 2
"""Older sound than half a second is waited for by nobody."""


class DredReader:
    """Reads one packet at a time. Owned by one thread."""

    def __init__(self) -> None:
        """Prepare.

        Raises:
            DeviceError: This libopus has no DRED.

        """
        library = self._library = libopus()
        assert can_read_dred(library), "its abilities were asked before"
        error = c_int()
        self._reader = library.opus_dred_decoder_create(ctypes.byref(error))
        check(error.value, "creating a reader of DRED")
        weakref.finalize(self, library.opus_dred_decoder_destroy, self._reader).atexit = False
        self._read = library.opus_dred_alloc(ctypes.byref(error))
        check(error.value, "creating a reader of DRED")
        weakref.finalize(self, library.opus_dred_free, self._read).atexit = False
        self._payload = b""
        self._samples = 0
        self._is_processed = False

    def samples(self, payload: bytes) -> int:
        """How much sound right before the packet it tells of, at 48 kHz; 0: none, or in a format that is not understood."""
        if payload != self._payload:
            self._payload, self._is_processed = payload, False
            self._samples = 0
            if dred_version(payload) is not None:
                end = c_int()
                found: int = self._library.opus_dred_parse(
                    self._reader,
                    self._read,
                    payload,
                    len(payload),
                    MOST_SAMPLES,
                    SAMPLE_RATE_HZ,
                    ctypes.byref(end),
                    1,
                )
                self._samples = min(max(found, 0), MOST_SAMPLES)
        return self._samples

    def features(self, payload: bytes) -> int:
        """The address of what it tells, as the decoder takes it; valid until another packet is read.

        Raises:
            DeviceError: It tells of nothing.

        """
        self.samples(payload)
        if not self._is_processed:
            code = self._library.opus_dred_process(self._reader, self._read, self._read)
            check(code, "reading DRED")
            self._is_processed = True
        address: int = self._read
        return address
