"""What runs while a call has pictures: one camera thread, one decoder thread, and the pictures of each participant.

    CameraThread --CodedPicture--> each PeerVideo --> its link            one encoder: the slowest line says how much
    its link --> PeerVideo --CodedPicture--> DecoderThread --> PictureStore

Loaded, with codecs and cameras, when somebody wants pictures first. Belongs to the event loop.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from blink_cli.app.media.video.peer_video import PeerVideo
from blink_cli.app.media.video.room_show import RoomShow
from blink_cli.core.errors import CameraError
from blink_cli.core.ids import Did
from blink_cli.core.media.recorded_picture import PeerClock
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.frame_pace import MOST_BACKLOG_S
from blink_cli.core.media.video.rate_controller import RateSettings
from blink_cli.core.media.video.video_receiver import Unseal
from blink_cli.core.media.video.video_sender import Seal
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.net.link.link_video import LinkVideo
from blink_cli.net.link.video_doors import VideoDoors
from blink_cli.video.camera_thread import CameraThread
from blink_cli.video.cameras.interface import Camera
from blink_cli.video.codec.libx264 import libx264
from blink_cli.video.decoder_thread import DecoderThread
from blink_cli.video.picture_store import PictureStore

if TYPE_CHECKING:
    from blink_cli.app.media.media_taps import MediaTaps
    from blink_cli.app.media.participant_media import ParticipantMedia

_RATES: Final = RateSettings()


class VideoPath:
    """Of one session, from when it is needed first to its end."""

    def __init__(self, own: Did, taps: "MediaTaps", *, camera_failed: Callable[[str], None]) -> None:
        """Have no camera and nobody. To be made on the running event loop.

        Args:
            own: Who this session is.
            taps: Told of every packet.
            camera_failed: Told why the camera ended by itself.

        """
        self.store: Final = PictureStore()
        """The newest picture of everybody, own ones too."""

        self.peers: dict[Did, PeerVideo] = {}
        self._own = own
        self._taps = taps
        self._linked: tuple[PeerVideo, ...] = ()
        self._wish = VideoCodec.VP8
        """By what our pictures are to be encoded."""

        self.room: RoomShow | None = None
        """By what our pictures go to a room; None: to none."""

        self._participants: dict[Did, ParticipantMedia] = {}
        self.camera: Final = CameraThread(
            preview=lambda picture: self.store.put(own, picture),
            coded=self._send,
            failed=camera_failed,
            target_bps=_RATES.first_bps,
        )
        self.decoder: Final = DecoderThread(show=self.store.put, lost=self._lost)

    # links

    def open_link(self, did: Did, doors: VideoDoors) -> LinkVideo:
        """Carry pictures of a participant over its link."""
        peer = self.peers.get(did)
        if peer is None:
            peer = self.peers[did] = PeerVideo(did, self, self._taps)
        return peer.open(doors)

    def links_changed(self, connected: "tuple[ParticipantMedia, ...]") -> None:
        """Learn to whom there are links now; offer pictures to those who have none of ours, if there are some."""
        self._participants = {one.peer: one for one in connected}
        videos = {one.link.pictures.video for one in connected if one.link is not None} - {None}
        for peer in self.peers.values():
            if peer.link is not None and peer.link not in videos:
                peer.link = None
                self.decoder.forget(peer.did)
                self.store.remove(peer.did)
        if self.camera.camera is not None:
            for one in connected:
                video = None if one.link is None else one.link.pictures.with_video()
                if video is not None:
                    video.offer()
        self._renew()

    def _renew(self) -> None:
        self._linked = tuple(peer for peer in self.peers.values() if peer.agreed)
        in_room = self.room is not None and self.room.agreed
        camera = self.camera.camera
        self.camera.sends = (bool(self._linked) or in_room) and camera is not None
        if camera is not None:
            self.camera.codec = self._codec_for_all(camera)
        self._fit_rate()

    def _codec_for_all(self, camera: Camera) -> VideoCodec:
        """What is wished, if everybody takes it; there is one encoder for all."""
        size, fps, wish = camera.parameters.size, camera.parameters.fps, self._wish
        takes = all(link.takes(wish, size.width, size.height, fps) for link in self._going)
        return wish if takes else VideoCodec.VP8

    def _fit_rate(self) -> None:
        rates = [link.encoder_bps() for link in self._going]
        if rates:
            self.camera.target_bps = min(rates)

    @property
    def _going(self) -> list[LinkVideo]:
        """By what our pictures go out."""
        links = [peer.link for peer in self._linked if peer.link is not None]
        if self.room is not None and self.room.link is not None and self.room.agreed:
            links.append(self.room.link)
        return links

    # rooms

    def show_in_room(self, doors: VideoDoors, seal: Seal) -> LinkVideo:
        """Have our pictures go to a room, once for all in it."""
        self.room = RoomShow(self._own, self._taps, self._room_agreed, self.key_frame_wanted)
        return self.room.open(doors, seal)

    def _room_agreed(self) -> None:
        self._renew()
        self.camera.want_key_frame()

    def room_over(self) -> None:
        """They go there no more."""
        self.room = None
        self._renew()

    def see_in_room(self, did: Did, doors: VideoDoors, unseal: Unseal) -> LinkVideo:
        """Have a participant's pictures come from a room."""
        peer = self.peers.get(did)
        if peer is None:
            peer = self.peers[did] = PeerVideo(did, self, self._taps)
        return peer.see(doors, unseal)

    def unseen_in_room(self, did: Did) -> None:
        """They come no more."""
        peer = self.peers.get(did)
        if peer is not None and peer.seen is not None:
            peer.seen = None
            self.decoder.forget(did)
            self.store.remove(did)

    # PeerVideoOwner

    def agreed(self, peer: PeerVideo) -> None:
        """Pictures can go to a participant: the next one is a key frame."""
        del peer
        self._renew()
        self.camera.want_key_frame()

    def came(self, peer: PeerVideo, picture: CodedPicture) -> None:
        """A frame of a participant is to be decoded, and shown with its voice."""
        participant = self._participants.get(peer.did)
        figures = None if participant is None else participant.playout
        playing = figures is not None and figures.playout.total_samples_received > 0
        peer.schedule.voice_wait_s = (
            figures.playout.delay_ms / 1000 if figures is not None and playing else None
        )
        self.decoder.put(peer.did, picture, peer.schedule.due_s(picture.timestamp, picture.arrived_at))

    def key_frame_wanted(self) -> None:
        """Somebody needs a key frame of ours."""
        self.camera.want_key_frame()

    def _lost(self, did: Did) -> None:
        peer = self.peers.get(did)
        source = None if peer is None else peer.source
        if source is not None:
            source.lost_reference()

    def clock_of(self, did: Did) -> PeerClock:
        """What is known of the clock of a participant's pictures. Any thread."""
        peer = self.peers.get(did)
        link = None if peer is None else peer.source
        return PeerClock() if link is None else PeerClock(link.clock_of_peer, link.rtt_s)

    # pictures out

    async def use(self, camera: Camera, codec: VideoCodec) -> None:
        """Take pictures with another camera, encoded by `codec` where everybody takes it; the one before is stopped.

        Raises:
            CameraError: It cannot be started, or there is no such encoder; the one before goes on.

        """
        if codec is VideoCodec.H264:
            await asyncio.to_thread(libx264)
        before = self.camera.camera
        try:
            await asyncio.to_thread(camera.start, time.monotonic())
        except CameraError:
            if before is None or before.parameters.virtual or camera.parameters.virtual:
                raise
            await self._in_its_place(camera, before)  # it may be the same device, which opens once
        else:
            await self.end_camera()
        self._wish = codec
        self._begin(camera)

    async def _in_its_place(self, camera: Camera, before: Camera) -> None:
        await self.end_camera()
        try:
            await asyncio.to_thread(camera.start, time.monotonic())
        except CameraError:
            await asyncio.to_thread(before.start, time.monotonic())
            self._begin(before)
            raise

    def _begin(self, camera: Camera) -> None:
        self.camera.start(camera)
        self._renew()
        self.camera.want_key_frame()

    async def end_camera(self) -> None:
        """Take no more pictures."""
        camera = await asyncio.to_thread(self.camera.stop)
        if camera is not None:
            await asyncio.to_thread(camera.stop)
        self.store.remove(self._own)
        self._renew()

    def _send(self, coded: CodedPicture) -> None:
        backlog_s = 0.0
        for link in self._going:
            link.send(coded)
            backlog_s = max(backlog_s, link.backlog_s)
        self.camera.not_before_s = time.monotonic() + backlog_s - MOST_BACKLOG_S
        self._fit_rate()

    # the end

    def end_call(self) -> None:
        """Forget everybody; the camera goes on if it was on."""
        for did in self.peers:
            self.decoder.forget(did)
        self.peers.clear()
        self._linked = ()
        self.room = None
        self._participants = {}
        self.camera.sends = False
        self.store.clear()

    async def aclose(self) -> None:
        """End both threads."""
        await self.end_camera()
        await asyncio.to_thread(self.decoder.stop)
