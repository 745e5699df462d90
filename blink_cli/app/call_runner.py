"""Carries out what the call machine decides, and tells it what happens.

commands, signals, links, time --> CallMachine --effects, in order--> signaling | links | voice | events
"""

import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol, assert_never

from blink_cli.app.device_guard import DeviceGuard
from blink_cli.app.media_readings import MediaWatcher, PeerReading, SourceReading
from blink_cli.app.media_taps import MediaTaps
from blink_cli.app.peer_links import PeerLink, PeerLinks
from blink_cli.app.talkers import Talkers
from blink_cli.app.voice_path import VoicePath
from blink_cli.app.wake_timer import WakeTimer
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.snapshot import CallsSnapshot
from blink_cli.core.call_effects import (
    Answer,
    ApplyAnswer,
    CallEffect,
    CloseTopics,
    Dial,
    Emit,
    Hangup,
    OpenTopics,
    SendToCall,
    SendToPeer,
    StartMedia,
    StopMedia,
    StopSending,
)
from blink_cli.core.codec_settings import CodecSettings
from blink_cli.core.events import Event, LinkState
from blink_cli.core.loss_reporter import LossReporter
from blink_cli.core.names import CallId, Did
from blink_cli.core.rtp import (
    EncodedFrame,
    ReceptionReport,
    RepeatedPacket,
    RtpPacket,
    SenderReport,
    SentPacket,
)
from blink_cli.core.signals import CallSignal, DirectSignal, Signal
from blink_cli.core.talking import TalkingChange
from blink_cli.net.ice_servers import IceServers
from blink_cli.net.link_settings import LinkCertificate, LinkSettings
from blink_cli.net.sdp import MediaFormat
from blink_cli.net.tasks import TaskOwner

PULSE_S: Final = 0.1
"""How often slow things are looked at: who is still heard, who stopped talking, what to report of losses."""

LOOK_S: Final = 1.0
"""How often the watchers get a reading."""


SUSPICIOUS_SILENCE_S: Final = 1.5
"""A link that carries nothing for so long may have lost its relay: the servers are asked before it is given up. Even a silent
peer's reports come every 1.25 s."""


class SignalPost(Protocol):
    """What the calls need of the gossip."""

    def send_to_peer(self, peer: Did, signal: DirectSignal, call_id: CallId) -> None:
        """Repeat until acknowledged or stopped."""

    def stop_sending(self, call_id: CallId, peer: Did | None) -> None:
        """Forget what is under way."""

    def send_to_call(self, call_id: CallId, signal: CallSignal, copies: int) -> None:
        """Publish, and so many copies more."""

    def open_call(self, call_id: CallId, group_key: bytes) -> None:
        """Listen to the call."""

    def close_call(self, call_id: CallId) -> None:
        """Listen no more."""


class CallRunner:
    """Belongs to the event loop. Observes links and voice; the session feeds it signals and commands."""

    def __init__(
        self,
        *,
        own: Did,
        nickname: Callable[[], str],
        post: SignalPost,
        talkers: Talkers,
        taps: MediaTaps,
        publish: Callable[[Event], None],
        tasks: TaskOwner,
        link_settings: LinkSettings,
        certificate: LinkCertificate,
        codec: CodecSettings,
        ice_servers: IceServers | None = None,
        watchers: Sequence[MediaWatcher] = (),
    ) -> None:
        """Know no call yet. `attach` the voice path before anything else."""
        self._own = own
        self._nickname = nickname
        self._tasks = tasks
        self._post = post
        self._talkers = talkers
        self._taps = taps
        self._publish = publish
        self._machine = CallMachine(own, secrets.token_bytes)
        self._ice_servers = ice_servers or IceServers()
        self._links = PeerLinks(link_settings, certificate, codec, tasks, self, ice_servers=self._ice_servers)
        self._voice: VoicePath | None = None
        self._guard: DeviceGuard | None = None
        self._watchers = tuple(watchers)
        self._next_look_s = 0.0
        self._levels_dbov: dict[Did, int | None] = {}
        self._reporters: dict[Did, LossReporter] = {}
        self._reported_heard_s: dict[Did, float] = {}
        self._waiting: deque[CallEffect] = deque()
        self._performing = False
        self._wake = WakeTimer(self._woken)
        self._pulse = WakeTimer(self._beat)
        self._muted = False
        self._deafened = False
        self._recording = False

    def attach(self, voice: VoicePath) -> None:
        """Say where sound comes from and goes to."""
        self._voice = voice
        self._guard = DeviceGuard(self._own, voice, self._publish, self._tasks)

    # what is known

    @property
    def links(self) -> PeerLinks:
        """The media links of the current call."""
        return self._links

    @property
    def voice(self) -> VoicePath:
        """The sound of this session."""
        assert self._voice is not None, "the session attaches the voice path before the first command"
        return self._voice

    @property
    def muted(self) -> bool:
        """Whether the source track is paused."""
        return self._muted

    @property
    def deafened(self) -> bool:
        """Whether the sink tracks are paused."""
        return self._deafened

    def level_dbov(self, peer: Did) -> int | None:
        """The level in the peer's last packet; None when it has none, or nothing came."""
        return self._levels_dbov.get(peer)

    def snapshot(self) -> CallsSnapshot:
        """Everything about calls now."""
        return self._machine.snapshot(time.monotonic())

    def claims(self) -> dict[Did, str]:
        """What those who call, and the participants of the current call, call themselves."""
        snapshot = self.snapshot()
        claims = {view.caller: view.nickname for view in snapshot.pending if view.nickname}
        if snapshot.call is not None:
            claims |= {view.did: view.nickname for view in snapshot.call.participants if view.nickname}
        return claims

    @property
    def current(self) -> CallId | None:
        """The call that this session is in."""
        return self._machine.current

    @property
    def standing(self) -> frozenset[Did]:
        """Whose links stand by the rules of the call; one that is lost may keep its connection for a while."""
        call = self.snapshot().call
        views = () if call is None else call.participants
        return frozenset(view.did for view in views if view.link is LinkState.CONNECTED)

    @property
    def ringing(self) -> tuple[CallId, ...]:
        """Calls that nobody here has decided about."""
        return self._machine.ringing

    # commands; errors are the machine's

    def offer(self, peers: Sequence[Did]) -> CallId:
        """Invite to a new call and be in it."""
        self._perform(self._machine.offer(peers, self._nickname(), time.monotonic(), _wall_ms()))
        call = self._machine.current
        assert call is not None, "offering enters the call"
        return call

    def accept(self, call: CallId) -> None:
        """Join a pending call."""
        self._perform(self._machine.accept(call, self._nickname(), time.monotonic(), _wall_ms()))

    def reject(self, call: CallId) -> None:
        """Decline a ringing call."""
        self._perform(self._machine.reject(call, time.monotonic()))

    def leave(self) -> None:
        """Leave the current call."""
        self._perform(self._machine.leave(time.monotonic()))

    def set_muted(self, *, muted: bool) -> None:
        """Pause or play the source track, and show it to all."""
        self._muted = muted
        self.voice.set_muted(muted=muted)
        self._show_state()

    def set_deafened(self, *, deafened: bool) -> None:
        """Pause or play the sink tracks, and show it to all."""
        self._deafened = deafened
        self.voice.set_deafened(deafened=deafened)
        self._show_state()

    def set_recording(self, *, recording: bool) -> None:
        """Show to all that this session records, or does not any more."""
        self._recording = recording
        self._show_state()

    def shut_down(self) -> None:
        """Leave, close everything; nothing happens afterwards."""
        self._perform(self._machine.shutdown(time.monotonic()))
        self._wake.cancel()
        self._pulse.cancel()

    # signals

    def signal(self, sender: Did, signal: Signal, call_id: CallId | None) -> None:
        """Hear an authenticated signal."""
        self._perform(self._machine.signal(sender, signal, call_id, time.monotonic()))

    def acknowledged(self, peer: Did, signal: DirectSignal) -> None:
        """Learn that a signal reached its peer."""
        self._perform(self._machine.acknowledged(peer, signal, time.monotonic()))

    # LinkObserver

    def link_described(self, peer: Did, epoch: int, sdp: str) -> None:
        """Send our half of a dialling."""
        self._perform(self._machine.local_description(peer, epoch, sdp, time.monotonic()))

    def link_refused(self, peer: Did, epoch: int, reason: str) -> None:
        """Give up this dialling."""
        self._perform(self._machine.dial_failed(peer, epoch, reason, time.monotonic()))

    def link_connected(self, peer: Did, epoch: int, media: MediaFormat) -> None:
        """Hear the peer."""
        self._taps.link_connected(peer, media.opus, media.red)
        self.voice.peer_connected(peer, media)
        self._reporters[peer] = LossReporter()
        self._reported_heard_s[peer] = time.monotonic()
        self._perform(self._machine.link_connected(peer, epoch, time.monotonic()))

    def link_ended(self, peer: Did, epoch: int, reason: str) -> None:
        """Let the machine decide whether to dial again."""
        self._perform(self._machine.link_closed(peer, epoch, reason, time.monotonic()))

    def media_stopped(self, peer: Did) -> None:
        """Pass on that nothing flows any more."""
        self._taps.link_ended(peer)

    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """Take a packet on its way: to the playout thread, and its level to the talkers."""
        self._taps.packet_received(peer, packet)
        self.voice.receive(peer, packet)
        level_dbov = packet.audio_level_dbov
        self._levels_dbov[peer] = level_dbov
        if level_dbov is not None:
            self._talkers.peer_heard(peer, level_dbov, voice=packet.voice, now_s=packet.arrival_s)

    def sender_reported(self, peer: Did, report: SenderReport) -> None:
        """Nothing is played by sender reports; recordings keep their time by them."""
        self._taps.sender_reported(peer, report)

    def reception_reported(self, peer: Did, report: ReceptionReport) -> None:
        """Pass on what the peer hears of us."""
        self._taps.reception_reported(peer, report)

    def packet_sent(self, peer: Did, packet: SentPacket) -> None:
        """Pass on what went out."""
        self._taps.packet_sent(peer, packet)

    def packet_repeated(self, peer: Did, packet: RepeatedPacket) -> None:
        """Pass on that a copy came."""
        self._taps.packet_repeated(peer, packet)

    # VoiceObserver

    def frame_encoded(self, frame: EncodedFrame) -> None:
        """Send to everyone connected."""
        self._taps.frame_encoded(frame, time.monotonic())
        self._links.send_frame(frame)
        self.voice.set_fec_loss(self._links.fec_loss_percent)

    def own_voice(self, change: TalkingChange) -> None:
        """Tell that this session talks, or would if it were not muted."""
        self._talkers.own_voice(change, muted=self._muted)

    def device_failed(self, direction: str, reason: str) -> None:
        """Let another device take over from one that does not start."""
        assert self._guard is not None, "voice and guard are attached together"
        self._guard.replace(direction, reason)

    # inside

    def _show_state(self) -> None:
        self._perform(
            self._machine.set_state(
                muted=self._muted, deafened=self._deafened, recording=self._recording, now=time.monotonic()
            )
        )

    def _woken(self) -> None:
        self._perform(self._machine.wake(time.monotonic()))

    def _perform(self, effects: Sequence[CallEffect]) -> None:
        # An effect's own consequences come behind the effects that are already decided.
        self._waiting.extend(effects)
        if self._performing:
            return
        self._performing = True
        first: Exception | None = None
        while self._waiting:
            try:
                self._carry_out(self._waiting.popleft())
            except Exception as failure:  # noqa: BLE001 - raised below: one effect that fails must not undo the others
                if first is None:
                    first = failure
                else:
                    first.add_note(f"and after it: {failure!r}")
        self._performing = False
        self._wake.set(self._machine.next_wake())
        if first is not None:
            raise first

    def _carry_out(self, effect: CallEffect) -> None:
        match effect:
            case SendToPeer(peer, signal, call_id):
                self._post.send_to_peer(peer, signal, call_id)
            case StopSending(call_id, peer):
                self._post.stop_sending(call_id, peer)
            case SendToCall(call_id, call_signal, copies):
                self._post.send_to_call(call_id, call_signal, copies)
            case OpenTopics(call_id, group_key):
                self._post.open_call(call_id, group_key)
            case CloseTopics(call_id):
                self._post.close_call(call_id)
            case Dial(_, peer, epoch):
                self._links.dial(peer, epoch)
            case Answer(_, peer, epoch, sdp):
                self._links.answer(peer, epoch, sdp)
            case ApplyAnswer(_, peer, epoch, sdp):
                self._links.apply_answer(peer, epoch, sdp)
            case Hangup(_, peer, epoch):
                self._links.hang_up(peer, epoch)
            case StartMedia(call_id):
                self._start_media(call_id)
            case StopMedia():
                self._stop_media()
            case Emit(event):
                self._publish(event)
            case _:
                assert_never(effect)

    def _start_media(self, call_id: CallId) -> None:
        self._taps.media_began(call_id)
        self.voice.begin()
        self._pulse.set(time.monotonic() + PULSE_S)

    def _stop_media(self) -> None:
        self._pulse.cancel()
        self._links.hang_up_all()
        self.voice.end()
        self._taps.media_ended()
        self._talkers.clear()
        if self._guard is not None:
            self._guard.forget()
        self._levels_dbov = {}
        self._reporters = {}
        self._reported_heard_s = {}

    def _beat(self) -> None:
        now_s = time.monotonic()
        self._talkers.check(now_s)
        if self._guard is not None:
            self._guard.look(now_s)
        for entry in self._links.connected:
            link, peer = entry.link, entry.peer
            heard_s = link.last_heard_s if link is not None else None
            if heard_s is not None and heard_s != self._reported_heard_s.get(peer):
                self._reported_heard_s[peer] = heard_s
                self._perform(self._machine.heard(peer, entry.epoch, heard_s))
            elif now_s - self._reported_heard_s.get(peer, now_s) > SUSPICIOUS_SILENCE_S:
                self._ice_servers.doubt()
            self._report_losses(peer, now_s)
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + LOOK_S
            self._let_watch(now_s)
        self._pulse.set(now_s + PULSE_S)

    def _let_watch(self, now_s: float) -> None:
        standing = self.standing
        peers = tuple(self._reading(entry) for entry in self._links.connected if entry.peer in standing)
        source = self.voice.source_statistics(now_s)
        own = None
        if source is not None:
            own = SourceReading(source.frames_sent + source.frames_unsent, source.clipped_frames)
        for watcher in self._watchers:
            watcher.look(peers, own, now_s)

    def _reading(self, entry: PeerLink) -> PeerReading:
        figures = self.voice.stream_figures(entry.peer)
        playout = None if figures is None else figures.playout
        playing = playout is not None and playout.total_samples_received > 0
        return PeerReading(
            peer=entry.peer,
            packets_sent=entry.totals.packets_sent,
            concealed_samples=0 if playout is None else playout.concealed_samples,
            silent_concealed_samples=0 if playout is None else playout.silent_concealed_samples,
            total_samples=0 if playout is None else playout.total_samples_received,
            delay_ms=playout.delay_ms if playing and playout is not None else None,
            remote=entry.remote,
            rtt_s=None if entry.link is None else entry.link.rtt_s,
        )

    def _report_losses(self, peer: Did, now_s: float) -> None:
        figures = self.voice.stream_figures(peer)
        if figures is None:
            return
        report = figures.loss
        self._machine.reception(peer, round(1000 * report.fraction_lost), report.longest_burst_packets)
        if self._reporters[peer].due(report, now_s):
            self._links.send_loss_report(peer, report)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
