"""The figures of pictures as they are shown, made of what the parts of a session know."""

from typing import TYPE_CHECKING

from blink_cli.core.api.replies.video import (
    PeerVideoFigures,
    VideoReceived,
    VideoSent,
    VideoState,
    VideoStatistics,
)
from blink_cli.core.ids import Did

if TYPE_CHECKING:
    from blink_cli.app.media.video.peer_video import PeerVideo
    from blink_cli.app.media.video.video_media import VideoMedia
    from blink_cli.app.media.video.video_path import VideoPath
    from blink_cli.core.media.video.video_counters import VideoSendCounters
    from blink_cli.net.link.link_video import LinkVideo


def video_state(video: "VideoMedia") -> VideoState | None:
    """The camera and the pictures of everybody; None where nobody wanted any."""
    path = video.path
    if path is None:
        return None
    camera = path.camera
    size = camera.encoded_size if camera.sends else None
    return VideoState(
        on=video.is_on,
        camera=video.camera_name,
        frames_captured=camera.frames_captured,
        frames_encoded=camera.frames_encoded,
        key_frames_encoded=camera.key_frames_encoded,
        frames_held_back=camera.frames_held_back,
        total_encode_time=round(camera.encode_s, 3),
        target_bitrate=round(camera.target_bps) if camera.sends else None,
        mime_type=camera.codec.mime_type if camera.sends else None,
        frame_width=None if size is None else size.width,
        frame_height=None if size is None else size.height,
        peers=tuple(_figures(path, peer) for peer in path.peers.values()),
        room=sent_to_room(video),
    )


def sent_to_room(video: "VideoMedia") -> VideoSent | None:
    """What goes to a room; None where nothing does."""
    room = None if video.path is None else video.path.room
    return None if room is None or video.path is None else _sent(room.sent, room.link, video.path)


def video_statistics(video: "VideoMedia", did: Did) -> VideoStatistics | None:
    """The pictures of one participant; None where there were none."""
    path = video.path
    peer = None if path is None else path.peers.get(did)
    return None if path is None or peer is None else _statistics(path, peer)


def _figures(path: "VideoPath", peer: "PeerVideo") -> PeerVideoFigures:
    both = _statistics(path, peer)
    return PeerVideoFigures(did=peer.did, agreed=peer.agreed, sent=both.sent, received=both.received)


def _statistics(path: "VideoPath", peer: "PeerVideo") -> VideoStatistics:
    received, link = peer.received, peer.link
    source = peer.source
    reception = None if source is None else source.reception
    stream = path.decoder.stream(peer.did)
    return VideoStatistics(
        sent=_sent(peer.sent, link, path),
        received=VideoReceived(
            packets_received=received.packets_received,
            packets_lost=0 if reception is None else reception.stream.packets_lost,
            bytes_received=received.bytes_received,
            retransmitted_packets_received=received.retransmitted_packets_received,
            frames_received=received.frames_received,
            frames_decoded=stream.frames_decoded,
            key_frames_decoded=stream.key_frames_decoded,
            frames_dropped=received.frames_dropped + stream.frames_dropped,
            frame_width=stream.width,
            frame_height=stream.height,
            frames_per_second=stream.shown.frames_per_second,
            freeze_count=stream.shown.freeze_count,
            total_freezes_duration=round(stream.shown.total_freezes_s, 3),
            total_decode_time=round(stream.decode_s, 3),
            jitter=0.0 if reception is None else reception.stream.jitter_s,
            nack_count=received.nack_count,
            pli_count=received.pli_count,
            mime_type=None if stream.codec is None else stream.codec.mime_type,
        ),
    )


def _sent(sent: "VideoSendCounters", link: "LinkVideo | None", path: "VideoPath") -> VideoSent:
    remote = None if link is None else link.remote
    return VideoSent(
        frames_sent=sent.frames_sent,
        key_frames_sent=sent.key_frames_sent,
        packets_sent=sent.packets_sent,
        bytes_sent=sent.bytes_sent,
        retransmitted_packets_sent=sent.retransmitted_packets_sent,
        packets_discarded=sent.packets_discarded,
        nack_count=sent.nack_count,
        pli_count=sent.pli_count,
        fir_count=sent.fir_count,
        target_bitrate=0 if link is None else round(link.rate.target_bps),
        queue_ms=0.0 if link is None else round(1000 * max(link.rate.queue_s, 0.0), 1),
        fraction_lost=None if remote is None else remote.fraction_lost,
        rtt_s=None if link is None else link.rtt_s,
        mime_type=path.camera.codec.mime_type if sent.packets_sent else None,
    )
