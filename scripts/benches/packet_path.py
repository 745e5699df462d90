"""What one voice packet passes on the event loop, received and sent: objects of this program (hops) and Python calls.

Two whole sessions in one process call each other over real loopback sockets. While they talk, every Python call of the event loop's thread
is watched (`sys.setprofile`), and whatever one packet causes is one tree of calls:

    received    from a datagram's callback, where the packet is put into a playout inbox
    sent        from the callback that hands an encoded frame over, where a datagram is given to a socket

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
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.profile.profile import Profile
from blink_cli.app.session import Session
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.core.api.requests import AcceptCall, PlaceOffer
from blink_cli.core.api.session_options import CodecOptions, SessionOptions
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.identity.identity import Identity
from blink_cli.net.link.secure_transport import SecureTransport

if sys.platform != "win32":
    import uvloop

MOST_HOPS: Final = {"received": 5, "sent": 5}
MOST_CALLS: Final = {"received": 50, "sent": 20}
MOST_CALLS_WITH_COPIES: Final = {"received": 50, "sent": 27}
SETTLE_S: Final = 1.0
"""Until the opening copies of a link are over and the first reports have come."""

CHECKOUT: Final = Path(__file__).resolve().parents[2]
OURS: Final = str(CHECKOUT / "blink_cli")
INBOX: Final = SinkTrack.receive.__code__
SOCKET: Final = SecureTransport.send_rtp.__code__
TOLD: Final = ("packet_received", "packet_sent")
"""What those who listen in are told of a packet."""


@dataclass(slots=True)
class Tree:
    """What one callback of the event loop called."""

    files: Counter[str] = field(default_factory=Counter)
    hops: dict[int, str] = field(default_factory=dict)
    """Names by identity, in order of appearance."""

    ends: Counter[str] = field(default_factory=Counter)
    """How often a packet reached the inbox or the socket."""


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
    """The profile function of the event loop's thread."""

    def __init__(self) -> None:
        self.trees: dict[str, list[Tree]] = {"received": [], "sent": []}
        self._tree: Tree | None = None
        self._root: FrameType | None = None
        self._sending: FrameType | None = None

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Take one event of the interpreter."""
        if event == "call":
            self._called(frame)
        elif event == "return" and frame is self._root:
            self._ended()
        elif event == "return" and frame is self._sending:
            self._sending = None

    def _called(self, frame: FrameType) -> None:
        code = frame.f_code
        if self._tree is None:
            if not code.co_filename.startswith(OURS):
                return
            self._root, self._tree = frame, Tree()
        tree = self._tree
        tree.files[code.co_filename] += 1
        if code is INBOX:
            tree.ends["received"] += 1
            self._pass(tree, frame)
        elif code is SOCKET:
            tree.ends["sent"] += 1
            self._sending = frame
        elif code.co_name in TOLD and isinstance(_owner(frame), MediaTaps):
            self._pass(tree, frame)
        if self._sending is not None:
            self._pass(tree, frame)

    def _pass(self, tree: Tree, frame: FrameType | None) -> None:
        """Note whose methods are on the stack, from the callback of the event loop to this frame."""
        stack = []
        while frame is not None:
            owner = _owner(frame)
            if type(owner).__module__.startswith("blink_cli."):
                stack.append(owner)
            if frame is self._root:
                break
            frame = frame.f_back
        for owner in reversed(stack):
            tree.hops.setdefault(id(owner), type(owner).__name__)

    def _ended(self) -> None:
        tree = self._tree
        self._tree = self._root = self._sending = None
        assert tree is not None, "it had begun"
        for direction, trees in self.trees.items():
            if tree.ends == {direction: 1}:
                trees.append(tree)


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
    watch = Watch()
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
            loop.call_soon(sys.setprofile, watch)
            await asyncio.sleep(seconds)
            sys.setprofile(None)
    bounds = MOST_CALLS if redundancy == "0" else MOST_CALLS_WITH_COPIES
    return [_way(direction, trees, bounds[direction]) for direction, trees in watch.trees.items()]


def _way(direction: str, trees: Sequence[Tree], most_calls: int) -> Way:
    if not trees:
        raise SystemExit(f"no packet was {direction}")
    calls = statistics.median(tree.files.total() for tree in trees)
    typical = min(trees, key=lambda tree: abs(tree.files.total() - calls))
    most = max(trees, key=lambda tree: len(tree.hops))
    files = {_short(name): count for name, count in typical.files.most_common()}
    return Way(direction, len(trees), tuple(most.hops.values()), calls, files, most_calls)


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
