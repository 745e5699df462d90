"""The client library of PulseAudio, libpulse, which reaches PipeWire's PulseAudio server as well. The only module that calls it.

Its ABI has not changed since version 1.0 (`libpulse.so.0`); structures are declared as far as we read them, and only ever used through
pointers that the library hands out. Source: pulse/introspect.h, pulse/stream.h, pulse/mainloop.h of PulseAudio 16.

Nothing here waits for a server: requests are sent, and answers come as callbacks out of `pa_mainloop_dispatch` (`pulse_connection`).
"""

import ctypes
import functools
from ctypes import POINTER, c_char_p, c_int, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any, Final

INVALID_INDEX: Final = 0xFFFFFFFF
DEFAULT_SIZE: Final = 0xFFFFFFFF
"""In buffer attributes: as the server likes."""

MAX_CHANNELS: Final = 32
VOLUME_NORM: Final = 0x10000
"""As loud as the device gives it: 100 % (pulse/volume.h)."""

CONTEXT_READY: Final = 4
CONTEXT_ENDED: Final = frozenset({5, 6})
"""Failed, terminated."""

CONTEXT_NO_AUTOSPAWN: Final = 0x0001

STREAM_READY: Final = 2
STREAM_ENDED: Final = frozenset({3, 4})

STREAM_INTERPOLATE_TIMING: Final = 0x0002
STREAM_AUTO_TIMING_UPDATE: Final = 0x0008
STREAM_ADJUST_LATENCY: Final = 0x2000

SAMPLE_FLOAT32LE: Final = 5

NO_FORMAT: Final = -1
SAMPLE_FORMATS: Final = {
    0: "uint8", 1: "a-law", 2: "mu-law", 3: "int16", 4: "int16", 5: "float32", 6: "float32", 7: "int32", 8: "int32", 9: "int24", 10: "int24",
    11: "int24", 12: "int24",
}  # fmt: skip
"""`pa_sample_format`, whatever the byte order; the last two are 24 bits in 32."""

SUBSCRIBE_SINKS: Final = 0x0001
SUBSCRIBE_SOURCES: Final = 0x0002
SUBSCRIBE_CARDS: Final = 0x0200
EVENT_OPERATION: Final = 0x0030
EVENT_CHANGED: Final = 0x0010
"""Of the events that were subscribed to, those that tell of a change of what is there (pulse/def.h)."""

FORM_FACTOR: Final = b"device.form_factor"
"""The property of a device that says what it is (pulse/proplist.h)."""

PORT_KINDS: Final = (
    None, "aux", "speaker", "headphones", "line", "mic", "headset", "handset", "earpiece", "spdif", "hdmi", "tv", "radio", "video", "usb",
    "bluetooth", "portable", "handsfree", "car", "hifi", "phone", "network", "analog",
)  # fmt: skip
"""`pa_device_port_type` (pulse/def.h of PulseAudio 14 and later)."""

PORT_KINDS_SINCE: Final = 14
"""The first version of the library whose ports have a type; behind those of earlier ones lies nothing that may be read."""


class SampleSpec(ctypes.Structure):
    """`pa_sample_spec`."""

    _fields_ = (("format", c_int), ("rate", c_uint32), ("channels", c_uint8))


class ChannelMap(ctypes.Structure):
    """`pa_channel_map`."""

    _fields_ = (("channels", c_uint8), ("map", c_int * MAX_CHANNELS))


class ChannelVolumes(ctypes.Structure):
    """`pa_cvolume`."""

    _fields_ = (("channels", c_uint8), ("values", c_uint32 * MAX_CHANNELS))


class PortInfo(ctypes.Structure):
    """`pa_sink_port_info` and `pa_source_port_info`; the last two from `PORT_KINDS_SINCE` on."""

    _fields_ = (
        ("name", c_char_p),
        ("description", c_char_p),
        ("priority", c_uint32),
        ("available", c_int),
        ("availability_group", c_char_p),
        ("type", c_uint32),
    )


class SinkInfo(ctypes.Structure):
    """The beginning of `pa_sink_info`."""

    _fields_ = (
        ("name", c_char_p),
        ("index", c_uint32),
        ("description", c_char_p),
        ("sample_spec", SampleSpec),
        ("channel_map", ChannelMap),
        ("owner_module", c_uint32),
        ("volume", ChannelVolumes),
        ("mute", c_int),
        ("monitor_source", c_uint32),
        ("monitor_source_name", c_char_p),
        ("latency", c_uint64),
        ("driver", c_char_p),
        ("flags", c_int),
        ("properties", c_void_p),
        ("configured_latency", c_uint64),
        ("base_volume", c_uint32),
        ("state", c_int),
        ("n_volume_steps", c_uint32),
        ("card", c_uint32),
        ("n_ports", c_uint32),
        ("ports", c_void_p),
        ("active_port", POINTER(PortInfo)),
    )


class SourceInfo(ctypes.Structure):
    """The beginning of `pa_source_info`."""

    _fields_ = (
        ("name", c_char_p),
        ("index", c_uint32),
        ("description", c_char_p),
        ("sample_spec", SampleSpec),
        ("channel_map", ChannelMap),
        ("owner_module", c_uint32),
        ("volume", ChannelVolumes),
        ("mute", c_int),
        ("monitor_of_sink", c_uint32),
        ("monitor_of_sink_name", c_char_p),
        ("latency", c_uint64),
        ("driver", c_char_p),
        ("flags", c_int),
        ("properties", c_void_p),
        ("configured_latency", c_uint64),
        ("base_volume", c_uint32),
        ("state", c_int),
        ("n_volume_steps", c_uint32),
        ("card", c_uint32),
        ("n_ports", c_uint32),
        ("ports", c_void_p),
        ("active_port", POINTER(PortInfo)),
    )


class ServerInfo(ctypes.Structure):
    """The beginning of `pa_server_info`."""

    _fields_ = (
        ("user_name", c_char_p),
        ("host_name", c_char_p),
        ("server_version", c_char_p),
        ("server_name", c_char_p),
        ("sample_spec", SampleSpec),
        ("default_sink_name", c_char_p),
        ("default_source_name", c_char_p),
    )


class BufferAttributes(ctypes.Structure):
    """`pa_buffer_attr`, in bytes."""

    _fields_ = (
        ("maxlength", c_uint32),
        ("tlength", c_uint32),
        ("prebuf", c_uint32),
        ("minreq", c_uint32),
        ("fragsize", c_uint32),
    )


SubscriptionCallback = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_uint32, c_void_p)
"""Which kind of thing, what became of it, and its number."""

SinkInfoCallback = ctypes.CFUNCTYPE(None, c_void_p, POINTER(SinkInfo), c_int, c_void_p)
SourceInfoCallback = ctypes.CFUNCTYPE(None, c_void_p, POINTER(SourceInfo), c_int, c_void_p)
ServerInfoCallback = ctypes.CFUNCTYPE(None, c_void_p, POINTER(ServerInfo), c_void_p)
SizeCallback = ctypes.CFUNCTYPE(None, c_void_p, c_size_t, c_void_p)
"""Of a stream that may be read or wants to be written; the number of bytes."""

StreamCallback = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)

_FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "pa_mainloop_new": (c_void_p, ()),
    "pa_mainloop_free": (None, (c_void_p,)),
    "pa_mainloop_get_api": (c_void_p, (c_void_p,)),
    "pa_mainloop_prepare": (c_int, (c_void_p, c_int)),
    "pa_mainloop_poll": (c_int, (c_void_p,)),
    "pa_mainloop_dispatch": (c_int, (c_void_p,)),
    "pa_mainloop_wakeup": (None, (c_void_p,)),
    "pa_context_new": (c_void_p, (c_void_p, c_char_p)),
    "pa_context_connect": (c_int, (c_void_p, c_char_p, c_int, c_void_p)),
    "pa_context_get_state": (c_int, (c_void_p,)),
    "pa_context_errno": (c_int, (c_void_p,)),
    "pa_context_disconnect": (None, (c_void_p,)),
    "pa_context_unref": (None, (c_void_p,)),
    "pa_context_get_server_info": (c_void_p, (c_void_p, ServerInfoCallback, c_void_p)),
    "pa_context_get_sink_info_list": (c_void_p, (c_void_p, SinkInfoCallback, c_void_p)),
    "pa_context_get_source_info_list": (c_void_p, (c_void_p, SourceInfoCallback, c_void_p)),
    "pa_context_get_sink_info_by_name": (c_void_p, (c_void_p, c_char_p, SinkInfoCallback, c_void_p)),
    "pa_context_get_source_info_by_name": (c_void_p, (c_void_p, c_char_p, SourceInfoCallback, c_void_p)),
    "pa_context_set_subscribe_callback": (None, (c_void_p, SubscriptionCallback, c_void_p)),
    "pa_context_subscribe": (c_void_p, (c_void_p, c_int, c_void_p, c_void_p)),
    "pa_proplist_gets": (c_char_p, (c_void_p, c_char_p)),
    "pa_get_library_version": (c_char_p, ()),
    "pa_operation_unref": (None, (c_void_p,)),
    "pa_strerror": (c_char_p, (c_int,)),
    "pa_stream_new": (c_void_p, (c_void_p, c_char_p, POINTER(SampleSpec), POINTER(ChannelMap))),
    "pa_stream_connect_record": (c_int, (c_void_p, c_char_p, POINTER(BufferAttributes), c_int)),
    "pa_stream_connect_playback": (
        c_int,
        (c_void_p, c_char_p, POINTER(BufferAttributes), c_int, c_void_p, c_void_p),
    ),
    "pa_stream_set_read_callback": (None, (c_void_p, SizeCallback, c_void_p)),
    "pa_stream_set_write_callback": (None, (c_void_p, SizeCallback, c_void_p)),
    "pa_stream_set_moved_callback": (None, (c_void_p, StreamCallback, c_void_p)),
    "pa_stream_get_state": (c_int, (c_void_p,)),
    "pa_stream_get_device_name": (c_char_p, (c_void_p,)),
    "pa_stream_get_latency": (c_int, (c_void_p, POINTER(c_uint64), POINTER(c_int))),
    "pa_stream_peek": (c_int, (c_void_p, POINTER(c_void_p), POINTER(c_size_t))),
    "pa_stream_drop": (c_int, (c_void_p,)),
    "pa_stream_write": (c_int, (c_void_p, c_void_p, c_size_t, c_void_p, c_int64, c_int)),
    "pa_stream_disconnect": (c_int, (c_void_p,)),
    "pa_stream_unref": (None, (c_void_p,)),
}
"""Each function's result and arguments."""


@functools.cache
def libpulse() -> Any:
    """Return the library with every function declared.

    Raises:
        OSError: It is not installed, or lacks a function.

    """
    library = ctypes.CDLL("libpulse.so.0")
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise OSError(f"libpulse has no {name}") from error
        function.restype, function.argtypes = result, arguments
    return library
