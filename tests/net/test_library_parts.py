"""What links load of their libraries, and that the rest is there for who asks; each in a Python of its own, since a module is imported once."""

import subprocess
import sys

import pytest

LOADED = """
import sys
import blink_cli.net.library_parts
import blink_cli.net.link.media_link
"""


def said(program: str) -> str:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    return ran.stdout.strip()


def test_links_are_loaded_without_pyav_and_dnspython() -> None:
    assert (
        said(
            LOADED
            + """
left_out = {"av._core", "aiortc.rtcpeerconnection", "aiortc.codecs", "dns.tokenizer", "importlib.metadata"}
print(*sorted((left_out | {"av"}) & set(sys.modules)))
"""
        )
        == ""
    )


@pytest.mark.parametrize(
    "use",
    [
        "from aiortc import RTCPeerConnection; RTCPeerConnection.__name__",
        "import aiortc; aiortc.RTCPeerConnection; aiortc.rtp.RtpPacket; aiortc.sdp.SessionDescription; aiortc.__version__",
        "import aiortc.mediastreams; aiortc.mediastreams.AudioStreamTrack",
        "import av; av.AudioFrame(format='s16', layout='mono', samples=480).to_ndarray()",
        "from av import AudioFrame; AudioFrame(format='s16', layout='mono', samples=480)",
        "import av.audio; av.audio.frame.AudioFrame; av.open",
        "import dns.message; dns.message.make_query('a.local', 'A').to_wire()",
        "from dns.zone import Zone; import dns; Zone('a.', relativize=False), dns.name.from_text('a.local')",
    ],
)
def test_what_was_left_out_is_there_for_who_asks(use: str) -> None:
    said(LOADED + use)


def test_classes_are_the_same_before_and_after_the_whole_is_loaded() -> None:
    assert (
        said(
            LOADED
            + """
from aiortc.rtcdtlstransport import RTCDtlsTransport as part
import aiortc
print(aiortc.RTCDtlsTransport is part, aiortc is sys.modules["aiortc"])
"""
        )
        == "True False"
    )


def test_a_name_that_ends_in_local_is_asked_for() -> None:
    assert (
        said(
            LOADED
            + """
import asyncio, types, aioice.mdns

async def main():
    protocol = aioice.mdns.MDnsProtocol()
    asked = []
    class Transport:
        def is_closing(self):
            return False
        def get_extra_info(self, name):
            return types.SimpleNamespace(setsockopt=lambda *option: None)
        def sendto(self, data, address):
            asked.append((data, address))
    protocol.connection_made(Transport())
    name = "6e7a6f6c-0000-4000-8000-000000000000.local"
    print(await protocol.resolve(name, timeout=0.01), b"6e7a6f6c" in asked[0][0])

asyncio.run(main())
"""
        )
        == "None True"
    )


def test_what_others_have_imported_stays_whole() -> None:
    assert (
        said(
            "import aiortc, av, dns.message\nbefore = aiortc, av, dns.message\n"
            + LOADED
            + "print(before == tuple(sys.modules[name] for name in ('aiortc', 'av', 'dns.message')))"
        )
        == "True"
    )


def test_two_threads_that_ask_at_once_get_one_module() -> None:
    assert (
        said(
            LOADED
            + """
import threading
from concurrent.futures import ThreadPoolExecutor
stand_in = sys.modules["aiortc"]
together = threading.Barrier(8)

def ask(number):
    together.wait()
    return stand_in.RTCPeerConnection if number % 2 else stand_in.RTCRtpSender.__module__

with ThreadPoolExecutor(8) as threads:
    print(len(set(threads.map(ask, range(8)))))
"""
        )
        == "2"
    )


@pytest.mark.parametrize(
    "begun", ["aioice.ice", "aiortc", "aiortc.rtcconfiguration", "aiortc.rtcdtlstransport"]
)
def test_one_thread_may_load_what_another_has_begun_to_load(begun: str) -> None:
    assert (
        said(
            f"""
import importlib, sys
from concurrent.futures import ThreadPoolExecutor

def after():
    while {begun!r} not in sys.modules:
        pass
    importlib.import_module("blink_cli.net.library_parts")
    importlib.import_module("blink_cli.net.link.media_link")

with ThreadPoolExecutor(2) as threads:
    begun = threads.submit(after), threads.submit(importlib.import_module, "blink_cli.net.link.media_link")
print([one.exception() for one in begun])
"""
        )
        == "[None, None]"
    )


@pytest.mark.parametrize(
    "use",
    ["from av import AudioFrame; AudioFrame(format='s16', layout='mono', samples=480)", "import av.codec"],
)
def test_who_imports_what_is_left_out_just_now_gets_the_whole(use: str) -> None:
    assert (
        said(
            f"""
import sys, threading
from blink_cli.runtime.on_demand import leave_out, take_in

pyav = leave_out("av", AudioFrame=object)
from av import AudioFrame
mistakes = []

def use():
    try:
        exec({use!r})
    except BaseException as mistake:
        mistakes.append(mistake)

other = threading.Thread(target=use)
other.start()
other.join()
take_in(pyav)
import av
print(AudioFrame is object, mistakes, av is pyav, av.codec.Codec.__name__, av.AudioFrame.__name__)
"""
        )
        == "True [] False Codec AudioFrame"
    )
