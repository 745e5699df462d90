"""What one voice packet passes, received and sent: objects of this program (hops) and Python calls.

Two whole sessions in one process call each other over real loopback sockets. While they talk, every Python call of the event loop's thread and of
the voice threads is watched (`sys.setprofile`), and whatever one packet causes is one or two trees of calls:

    received    on a voice thread from where its datagram is read to a playout inbox; and on the event loop, where it is counted and told
    sent        on a voice thread from where it has encoded a frame to where a datagram is given to a socket; and on the event loop, where it is told

A hop is an object with a method of ours on the stack when the packet is put into the inbox, or is given to the socket, or when those who listen
in are told of it; what they do with it is behind the voice, and no hop. Calls are of Python functions of all files, aiortc's and asyncio's too;
calls of functions written in C are not counted. A tree of two packets counts for neither. The median of all trees is told, and the calls of a
typical tree by file.

How many earlier frames a packet carries is fixed (`--redundancy`, none): left to itself a session sends copies as soon as a machine that is busy with
other things makes packets late, and a packet with copies costs eight or nine calls more on its way out.

It fails when a bound is exceeded. The bounds are what was reached and a little more, and may only fall.
"""

import argparse
import asyncio
import json
import secrets
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.media.mesh_media import MeshMedia
from blink_cli.app.profile.profile import Profile
from blink_cli.app.session import Session
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.core.api.requests import AcceptCall, PlaceOffer
from blink_cli.core.api.session_options import CodecOptions, SessionOptions
from blink_cli.core.audio_format import TICK_MS
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.identity.identity import Identity
from blink_cli.net.link.link_socket import LinkSocket
from blink_cli.net.link.packet_receiving import PacketReceiving
from blink_cli.net.link.secure_transport import SecureTransport
from blink_cli.runtime.clock import MonotonicClock

if sys.platform != "win32":
    import uvloop

MOST_HOPS: Final = {"received": 5, "sent": 5}
MOST_CALLS: Final = {"received": 38, "sent": 18}
MOST_CALLS_WITH_COPIES: Final = {"received": 47, "sent": 27}
SETTLE_S: Final = 1.0
"""Until the opening copies of a link are over and the first reports have come."""

CHECKOUT: Final = Path(__file__).resolve().parents[2]
OURS: Final = str(CHECKOUT / "blink_cli")
INBOX: Final = SinkTrack.receive.__code__
SOCKET: Final = SecureTransport.send_sealed.__code__
ROOTS: Final = (
    LinkSocket._read_in_round.__code__,  # noqa: SLF001 - where a packet's way begins
    PacketReceiving.count_read.__code__,  # and where it goes on
    MeshMedia.frame_encoded.__code__,
    MeshMedia._frame_sent.__code__,  # noqa: SLF001 - where those who listen in are told
)
"""Where trees begin; one within another is a tree of its own."""

TOLD: Final = ("packet_received", "packet_sent")
"""What those who listen in are told of a packet."""


@dataclass(slots=True)
class Tree:
    """What one callback of the event loop called."""

    files: Counter[str] = field(default_factory=Counter)
    hops: dict[int, str] = field(default_factory=dict)
    """Names by identity, in order of appearance."""

    ends: Counter[str] = field(default_factory=Counter)
    """How often a packet reached the inbox or the socket, or was told of."""

    @property
    def calls(self) -> float:
        """Of one packet: what the round has read is counted in runs."""
        return self.files.total() / self.ends.total()


@dataclass(frozen=True, slots=True)
class Way:
    """One direction."""

    direction: str
    packets: int
    hops: tuple[str, ...]
    calls: float
    calls_by_file: dict[str, int]
    most_calls: int
    """Their bound."""

    @property
    def fits(self) -> bool:
        """Whether it stays within the bounds."""
        return len(self.hops) <= MOST_HOPS[self.direction] and self.calls <= self.most_calls


class Watch:
    """The profile function of one thread."""

    def __init__(self, trees: dict[str, list[Tree]]) -> None:
        self._trees = trees
        self._open: list[tuple[FrameType, Tree]] = []
        """From the outermost to the innermost."""

        self._sending: FrameType | None = None

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Take one event of the interpreter."""
        if event == "call":
            self._called(frame)
        elif event == "return" and self._open and frame is self._open[-1][0]:
            _, tree = self._open.pop()
            self._sending = None
            for direction, trees in self._trees.items():
                if tree.ends.keys() == {direction}:
                    trees.append(tree)
        elif event == "return" and frame is self._sending:
            self._sending = None

    def _called(self, frame: FrameType) -> None:
        code = frame.f_code
        if code in ROOTS:
            self._open.append((frame, Tree()))
        if not self._open:
            return
        root, tree = self._open[-1]
        tree.files[code.co_filename] += 1
        if code is INBOX:
            tree.ends["played"] += 1
            self._pass(root, tree, frame)
        elif code is SOCKET:
            tree.ends["sent"] += 1
            self._sending = frame
        elif code.co_name in TOLD and isinstance(_owner(frame), MediaTaps):
            tree.ends[code.co_name] += 1
            self._pass(root, tree, frame)
        if self._sending is not None:
            self._pass(root, tree, frame)

    def _pass(self, root: FrameType, tree: Tree, frame: FrameType | None) -> None:
        """Note whose methods are on the stack, from the tree's root to this frame."""
        stack = []
        while frame is not None:
            owner = _owner(frame)
            if type(owner).__module__.startswith("blink_cli."):
                stack.append(owner)
            if frame is root:
                break
            frame = frame.f_back
        for owner in reversed(stack):
            tree.hops.setdefault(id(owner), type(owner).__name__)


def _owner(frame: FrameType) -> Any:
    """Whose method, or whose method's inner function, this is; None for a function."""
    code = frame.f_code
    named = "self" in code.co_varnames[: code.co_argcount] or "self" in code.co_freevars
    return frame.f_locals.get("self") if named else None


@asynccontextmanager
async def session(name: str, folder: Path, port: int, redundancy: str) -> AsyncIterator[Session]:
    """A whole session on loopback, without a sound card."""
    profile = Profile(name, folder / name / "data", folder / name / "run")
    profile.make()
    options = SessionOptions(
        nickname=name,
        input="tone:440",
        output="null",
        interfaces=("127.0.0.1",),
        group=f"239.255.66.78:{port}",
        discovery=False,
        codec=CodecOptions(redundancy=redundancy),
    )
    async with Session.open(profile, Identity(secrets.token_bytes(32)), options) as opened:
        yield opened


async def measured(seconds: float, redundancy: str) -> list[Way]:
    """Make a call and watch it."""
    trees: dict[str, list[Tree]] = {end: [] for end in ("played", "sent", *TOLD)}
    port = 20_000 + secrets.randbelow(20_000)
    with tempfile.TemporaryDirectory(prefix="blink-bench-") as folder:
        async with (
            session("anna", Path(folder), port, redundancy) as anna,
            session("bert", Path(folder), port, redundancy) as bert,
        ):
            async with asyncio.TaskGroup() as group:
                group.create_task(bert.ask(AcceptCall(wait_s=20)))
                await anna.ask(PlaceOffer(peers=(bert.did,), wait_s=20))
            await asyncio.sleep(SETTLE_S)
            loop = asyncio.get_running_loop()
            # From a callback of its own: a profile that begins within this coroutine would see this coroutine's frames return.
            loop.call_soon(sys.setprofile, Watch(trees))
            with _rounds_watched(trees):
                await asyncio.sleep(seconds)
            sys.setprofile(None)
    bounds = MOST_CALLS if redundancy == "0" else MOST_CALLS_WITH_COPIES
    return [
        _way("received", (trees["played"], trees["packet_received"]), bounds["received"]),
        _way("sent", (trees["sent"], trees["packet_sent"]), bounds["sent"]),
    ]


@contextmanager
def _rounds_watched(trees: dict[str, list[Tree]]) -> Iterator[None]:
    """Watch every voice thread, from the end of one turn to the end of another."""
    begun: set[int] = set()
    wait_until = MonotonicClock.wait_until
    watching = True

    def watched(clock: MonotonicClock, when_s: float) -> None:
        thread = threading.get_ident()
        if watching and thread not in begun:
            begun.add(thread)
            sys.setprofile(Watch(trees))
        elif not watching:
            sys.setprofile(None)
        wait_until(clock, when_s)

    MonotonicClock.wait_until = watched  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        watching = False
        time.sleep(2 * TICK_MS / 1000)
        MonotonicClock.wait_until = wait_until  # type: ignore[method-assign]


def _way(direction: str, parts: Sequence[Sequence[Tree]], most_calls: int) -> Way:
    """Put together what one packet causes in one place and then in another."""
    hops: dict[int, str] = {}
    files: Counter[str] = Counter()
    total = 0.0
    for trees in parts:
        if not trees:
            raise SystemExit(f"no packet was {direction}")
        calls = statistics.median(tree.calls for tree in trees)
        total += calls
        files += min(trees, key=lambda tree: (abs(tree.calls - calls), tree.ends.total())).files
    # The two ends of a call are watched together: of each tree's objects the path of one session is told.
    for trees in parts:
        for identity, name in max(trees, key=lambda tree: len(tree.hops)).hops.items():
            if name not in hops.values():
                hops[identity] = name
    by_file = {_short(name): count for name, count in files.most_common()}
    return Way(direction, min(map(len, parts)), tuple(hops.values()), total, by_file, most_calls)


def _short(name: str) -> str:
    path = Path(name)
    return str(path.relative_to(CHECKOUT)) if name.startswith(OURS) else "/".join(path.parts[-2:])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both directions, or one JSON document."""
    parser = argparse.ArgumentParser(prog="bench packet-path", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="how long the call is watched (default 3)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    parser.add_argument(
        "--redundancy", choices=("0", "1", "2"), default="0", help="earlier frames that each packet carries"
    )
    options = parser.parse_args(arguments)
    factory = None if sys.platform == "win32" else uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        ways = runner.run(measured(options.seconds, options.redundancy))
    fits = all(way.fits for way in ways)
    if options.json:
        print(
            json.dumps(
                {"schema": 1, "bench": "packet-path", "fits": fits, "ways": [asdict(way) for way in ways]}
            )
        )
    else:
        print("\n\n".join(map(text, ways)))
    return ExitCode.DONE if fits else ExitCode.FAILED


def text(way: Way) -> str:
    """One direction for people."""
    bounds = f"at most {MOST_HOPS[way.direction]} hops and {way.most_calls} calls"
    verdict = bounds if way.fits else f"TOO MANY: {bounds}"
    lines = [
        f"{way.direction}: {len(way.hops)} hops, {way.calls:g} Python calls ({way.packets} packets; {verdict})",
        "  " + " -> ".join(way.hops),
        *(f"  {count:4}  {name}" for name, count in way.calls_by_file.items()),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
