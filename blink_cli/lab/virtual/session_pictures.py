"""The pictures of one session in virtual time: what `VideoPath` does with one camera, and a screen for each participant.

PictureSource --> each PictureEnd --> line          line --> PictureEnd --> PictureScreen --> what was seen, and how much like what was taken
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from blink_cli.core.api.camera_name import DefaultCamera, NamedCamera, parse_camera_name
from blink_cli.core.errors import UsageError, WireError
from blink_cli.core.media.video.video_counters import VideoReceiveCounters, VideoSendCounters
from blink_cli.core.media.video.video_format import VideoSources
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.core.media.voice_sent import VoiceSent
from blink_cli.lab.scenario.observation import PairObservation, PictureReading, SeenPicture
from blink_cli.lab.virtual.line import VirtualLine
from blink_cli.lab.virtual.picture_end import PictureEnd
from blink_cli.lab.virtual.picture_screen import PictureScreen, likeness_of
from blink_cli.lab.virtual.picture_source import PictureSource
from blink_cli.video.cameras.opener import open_camera
from blink_cli.video.picture import CLOCK_RATE_HZ, Plane


def check_camera(name: str, camera: str) -> None:
    """Refuse what virtual time cannot show.

    Raises:
        UsageError: It is a real camera.

    """
    if isinstance(parse_camera_name(camera), DefaultCamera | NamedCamera):
        raise UsageError(
            f"{name} shows {camera!r}, a real camera, and there is none in virtual time.",
            hint="Give `testsrc`, `file:PATH`, `image:PATH` or `blank`, or run it with `--engine real`.",
        )


@dataclass(slots=True)
class PictureLink:
    """What the two ends of a link have in common."""

    sources: dict[str, VideoSources]
    """Of each end, by name."""

    rtt_s: float
    """Without a queue: so long an offer and its answer take."""

    agreed_at: float = math.inf
    """From when on pictures go both ways: who wants pictures first offers them."""

    def offered(self, now_s: float) -> None:
        """One side has something to show."""
        self.agreed_at = min(self.agreed_at, now_s + self.rtt_s)


@dataclass(frozen=True, slots=True)
class PictureWays:
    """What a session's pictures have of one link to a participant."""

    line: VirtualLine
    """To the participant."""

    back: VirtualLine
    """From it."""

    seen: PairObservation
    """Told what was seen of it."""

    taken: Callable[[int], Plane | None]
    """The brightness of a picture as the participant's camera took it, by RTP timestamp; None of one that was not kept."""

    voice_sent: Callable[[], VoiceSent | None]
    """What went out of our voice."""

    voice_wait_s: Callable[[], float | None]
    """How long the participant's waits in its buffer."""

    rtt_s: Callable[[], float | None]
    """The round trip as the voice knows it."""


@dataclass(slots=True)
class _Peer:
    """What a session has of one participant's pictures, over all links to it."""

    ways: PictureWays
    """Of the newest link."""

    screen: PictureScreen = field(default_factory=PictureScreen)
    sent: VideoSendCounters = field(default_factory=VideoSendCounters)
    received: VideoReceiveCounters = field(default_factory=VideoReceiveCounters)
    link: PictureLink | None = None
    end: PictureEnd | None = None
    """While a link stands, as `link`."""


class SessionPictures:
    """Between a session's start and its end."""

    def __init__(self, name: str, camera: str, rng: random.Random) -> None:
        """Show nothing.

        Args:
            name: Whose session it is.
            camera: Which one is turned on.
            rng: Of delays of this machine, apart from those of the voice: pictures change nothing of its chances.

        """
        self._name = name
        self.camera = camera
        self._rng = rng
        self._peers: dict[str, _Peer] = {}
        self.source = PictureSource()
        self._going = 0

    # links

    def link_up(self, peer: str, link: PictureLink, ways: PictureWays, now_s: float) -> None:
        """Have pictures go to a peer, and come, from now on."""
        one = self._peers.setdefault(peer, _Peer(ways))
        one.ways, one.link = ways, link
        one.screen.begin()
        one.end = PictureEnd(
            ways.line,
            link.sources[self._name],
            link.sources[peer],
            self._rng,
            now_s,
            voice_sent=ways.voice_sent,
            rtt_s=ways.rtt_s,
            sent=one.sent,
            received=one.received,
        )
        if self.source.is_on:
            link.offered(now_s)

    def link_down(self, peer: str) -> None:
        """They neither go nor come any more."""
        one = self._peers.get(peer)
        if one is not None and one.end is not None:
            one.link = one.end = None
            one.screen.stopped()

    # the camera

    def turn_on(self, now_s: float) -> None:
        """Show everybody what the camera sees.

        Raises:
            DeviceError: Its file cannot be read.

        """
        codec = parse_camera_name(self.camera).options.codec or VideoCodec.VP8
        self.source.start(open_camera(self.camera), codec, now_s)
        for peer in self._peers.values():
            if peer.link is not None:
                peer.link.offered(now_s)

    def use(self, camera: str, now_s: float) -> None:
        """Show what another camera sees, at once if one is on, else when it is turned on.

        Raises:
            DeviceError: Its file cannot be read.

        """
        self.camera = camera
        if self.source.is_on:
            self.turn_on(now_s)

    def turn_off(self) -> None:
        """Take no more pictures."""
        self.source.stop()

    # moments

    def next_at(self, now_s: float) -> float:
        """When to call `look` next; infinite while nothing is under way."""
        due_at = self.source.next_at(now_s)
        for peer in self._peers.values():
            due_at = min(due_at, peer.screen.next_at)
            if peer.end is not None:
                back = peer.ways.back
                due_at = min(due_at, peer.end.wake_at, back.pictures_due_at, back.report_due_at)
        return due_at

    def look(self, now_s: float) -> None:
        """Take what has come by now, show what is due, send what may leave."""
        for peer in self._peers.values():
            if peer.end is not None:
                _receive(peer, peer.end, now_s)
            self._show(peer, now_s)
            if peer.end is not None and peer.end.wake_at <= now_s:
                peer.end.wake(now_s)
        going = [
            peer.end
            for peer in self._peers.values()
            if peer.end is not None and peer.link is not None and peer.link.agreed_at <= now_s
        ]
        if len(going) > self._going:
            self.source.key_frames.wanted()
        self._going = len(going)
        self.source.take(now_s, going)

    def _show(self, peer: _Peer, now_s: float) -> None:
        screen = peer.screen
        while screen.next_at <= now_s:
            try:
                shown = screen.show(now_s)
            except WireError:
                if peer.end is not None:
                    peer.end.lost_reference(now_s)
                continue
            if shown is None:
                continue
            at_s, picture = shown
            taken = peer.ways.taken(picture.timestamp)
            likeness = None if taken is None else likeness_of(taken, picture)
            delay_s = at_s - picture.timestamp / CLOCK_RATE_HZ
            peer.ways.seen.pictures.append(SeenPicture(at_s, delay_s, likeness))

    def reported(self, name: str, data: bytes, arrival_s: float) -> bool:
        """Take RTCP of a peer. Returns whether nobody else need see it."""
        peer = self._peers.get(name)
        if peer is None or peer.end is None:
            return False
        end = peer.end
        whole = end.reported(data, arrival_s)
        for report in end.clock_of_peer:
            peer.screen.sender_reported(report)
        end.clock_of_peer.clear()
        if end.key_frame_wanted:
            end.key_frame_wanted = False
            self.source.key_frames.wanted()
        return whole

    # what is counted

    def reading(self, name: str) -> PictureReading:
        """Return the counters of a participant's pictures, and how many of ours went to it."""
        peer = self._peers.get(name)
        if peer is None:
            return PictureReading()
        received, screen = peer.received, peer.screen
        return PictureReading(
            frames_sent=peer.sent.frames_sent,
            frames_received=received.frames_received,
            frames_decoded=screen.frames_decoded,
            frames_dropped=received.frames_dropped + screen.frames_dropped,
            freeze_count=screen.freezes.freeze_count,
            total_freezes_s=screen.freezes.total_freezes_s,
            packets_received=received.packets_received,
            retransmitted_packets_received=received.retransmitted_packets_received,
            bytes_received=received.bytes_received,
            nack_count=received.nack_count,
            pli_count=received.pli_count,
            frame_width=None if screen.size is None else screen.size.width,
            frame_height=None if screen.size is None else screen.size.height,
        )


def _receive(peer: _Peer, end: PictureEnd, now_s: float) -> None:
    for arrival_s, data in peer.ways.back.pictures(now_s):
        for coded in end.received(data, arrival_s):
            if peer.screen.put(coded, peer.ways.voice_wait_s()):
                end.lost_reference(now_s)
