"""A real browser as the other end of a link: Chromium, headless, with a WAV file as its microphone; or Firefox, with a tone of its own.

    page (JavaScript, below) <--HTTP on loopback--> Browser.ask <--> test

The page does what it is told, one order after the other: `offer`, `answer SDP`, `accept SDP`, `offerVideo`, `answerVideo SDP`, `statistics`.
"""

import asyncio
import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Final

import pytest
from typing_extensions import override

PATIENCE_S: Final = 30.0
"""Chromium needs some seconds to start on a busy machine."""

_PAGE: Final = """<!doctype html><title>blink</title><script>
const red = location.search.includes('red'), h264 = location.search.includes('h264');
const pc = new RTCPeerConnection();
pc.ontrack = event => {
  const shown = document.createElement(event.track.kind); shown.muted = event.track.kind === 'video';
  shown.srcObject = new MediaStream([event.track]); shown.play(); document.body.append(shown); window[event.track.kind] = shown;
};
const camera = async () => (await navigator.mediaDevices.getUserMedia({video: {width: 320, height: 240}})).getVideoTracks()[0];
const gathered = () => new Promise(done => {
  const look = () => pc.iceGatheringState === 'complete' && done(pc.localDescription.sdp);
  pc.addEventListener('icegatheringstatechange', look); look();
});
const prefer = () => {
  if (!red) return;
  const codecs = RTCRtpSender.getCapabilities('audio').codecs;
  const named = name => codecs.filter(codec => codec.mimeType.toLowerCase() === name);
  for (const one of pc.getTransceivers()) one.setCodecPreferences([...named('audio/red'), ...named('audio/opus')]);
};
const preferH264 = () => {
  if (!h264) return;
  const codecs = RTCRtpReceiver.getCapabilities('video').codecs;
  const others = codecs.filter(codec => codec.mimeType !== 'video/H264');
  const ours = codecs.filter(codec => codec.mimeType === 'video/H264');
  for (const one of pc.getTransceivers()) {
    if (one.receiver.track.kind === 'video') one.setCodecPreferences([...ours, ...others]);
  }
};
const microphone = navigator.mediaDevices.getUserMedia(
  {audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false}}).then(
  stream => stream.getAudioTracks()[0]);
const orders = {
  async offer() {
    pc.addTrack(await microphone); prefer();
    await pc.setLocalDescription(); return await gathered();
  },
  async answer(sdp) {
    await pc.setRemoteDescription({type: 'offer', sdp});
    pc.addTrack(await microphone); prefer();
    await pc.setLocalDescription(); return await gathered();
  },
  async offerVideo() {
    pc.addTrack(await camera()); preferH264();
    await pc.setLocalDescription(); return pc.localDescription.sdp;
  },
  async answerVideo(sdp) {
    await pc.setRemoteDescription({type: 'offer', sdp});
    pc.addTrack(await camera()); preferH264();
    await pc.setLocalDescription(); return pc.localDescription.sdp;
  },
  async accept(sdp) { await pc.setRemoteDescription({type: 'answer', sdp}); return pc.connectionState; },
  async picture() {
    const canvas = document.createElement('canvas'), video = window.video;
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const luma = [];
    for (let at = 0; at < pixels.length; at += 4) luma.push(Math.round(0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2]));
    return {width: canvas.width, height: canvas.height, luma};
  },
  async statistics() { return [...(await pc.getStats()).values()]; },
};
(async () => {
  for (;;) {
    const [name, argument] = await (await fetch('/order', {method: 'POST'})).json();
    if (!name) continue;
    let reply;
    try { reply = {value: await orders[name](argument)}; } catch (error) { reply = {error: String(error)}; }
    await fetch('/reply', {method: 'POST', body: JSON.stringify(reply)});
  }
})();
</script>"""


class Browser:
    """Made by `browser`."""

    def __init__(self) -> None:
        self.orders: Queue[tuple[str, str]] = Queue()
        self.replies: Queue[dict[str, Any]] = Queue()

    async def ask(self, order: str, argument: str = "") -> Any:
        """Have the page do something and return what came of it."""
        self.orders.put((order, argument))
        reply = await asyncio.to_thread(self.replies.get, timeout=PATIENCE_S)
        assert "error" not in reply, f"{order}: {reply['error']}"
        return reply["value"]


def _handler(browser: Browser) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(_PAGE.encode(), "text/html")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/order":
                try:
                    order = browser.orders.get(timeout=1.0)
                except Empty:
                    order = ("", "")
                self._say(json.dumps(order).encode(), "application/json")
            else:
                browser.replies.put(json.loads(body))
                self._say(b"{}", "application/json")

        def _say(self, body: bytes, kind: str) -> None:
            with suppress(BrokenPipeError):  # the browser was closed while it asked
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler


_FIREFOX_PREFERENCES: Final = """
user_pref("media.navigator.streams.fake", true);
user_pref("media.navigator.permission.disabled", true);
user_pref("media.peerconnection.ice.loopback", true);
user_pref("media.peerconnection.ice.obfuscate_host_addresses", false);
user_pref("media.autoplay.default", 0);
user_pref("media.autoplay.blocking_policy", 0);
user_pref("media.gmp-manager.updateEnabled", false);
user_pref("privacy.resistFingerprinting", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("app.update.auto", false);
"""
"""Its camera and its microphone are made up, and it uses loopback, which it leaves out by itself."""

CHROMIUM: Final = "chromium"
FIREFOX: Final = "firefox-esr"


def _command(program: str, profile: str, microphone: Path) -> list[str]:
    if program == FIREFOX:
        (Path(profile) / "user.js").write_text(_FIREFOX_PREFERENCES)
        return [program, "--headless", "--no-remote", "--profile", profile]
    return [
        program,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--mute-audio",
        "--autoplay-policy=no-user-gesture-required",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
        "--allow-loopback-in-peer-connection",
        f"--user-data-dir={profile}",
    ]


@asynccontextmanager
async def browser(
    microphone: Path, *, red: bool = False, h264: bool = False, program: str = CHROMIUM
) -> AsyncIterator[Browser]:
    """Run a browser.

    Skips the test where it is not installed.

    Args:
        microphone: What Chromium's microphone plays again and again; Firefox's plays a tone of 440 Hz.
        red: It prefers to send RED.
        h264: It prefers to send H.264.
        program: CHROMIUM or FIREFOX.

    """
    if shutil.which(program) is None:
        # Also in CI: Ubuntu, for one, has them as snaps only, which do not run everywhere.
        pytest.skip(f"there is no {program} (Debian package {program})")
    asked = "&".join(name for name, wanted in (("red", red), ("h264", h264)) if wanted)
    page = Browser()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(page))
    serving = threading.Thread(target=server.serve_forever, name="page")
    serving.start()
    with tempfile.TemporaryDirectory(prefix="blink-browser-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            *_command(program, profile, microphone),
            f"http://127.0.0.1:{server.server_port}/?{asked}",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
            start_new_session=True,
        )
        try:
            yield page
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            server.shutdown()
            await asyncio.to_thread(serving.join)
            server.server_close()
