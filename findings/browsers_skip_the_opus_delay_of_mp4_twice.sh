#!/bin/sh
# Sound moves by 6.5 ms when Opus is copied from Ogg into MP4, in browsers.
#
# Chromium 156.0.8078.108, Firefox 153.8.0esr; PyAV 18.1.0 (FFmpeg 8.1.2, libopus 1.6.1) writes the files; Debian 12.
#
# One Opus stream with a click at 200 ms is put into Ogg, and its packets, unchanged, into MP4. `decodeAudioData` finds the click at
#
#   Ogg  200.7 ms of 48,000 samples    (the 0.7 ms are Opus's own)
#   MP4  194.2 ms of 48,336 samples
#
# in both browsers. The encoder's delay (pre-skip, 312 samples) stands in an MP4 twice, in `dOps` and in the edit list that Opus in ISOBMFF
# asks for (section 4.4), and both are taken off, by two different browsers alike; FFmpeg takes it off once. The expectation that is wrong: that a
# copy between containers leaves the sound where it is, or that a page may mix what it decodes from an MP4 with what it decodes from elsewhere.
#
# Exits 1 when neither browser does it any more, 77 without a browser, python3 or PyAV.
set -eu
command -v python3 >/dev/null || { echo "skipped: python3 is missing"; exit 77; }
browsers=""
for one in chromium firefox-esr; do command -v "$one" >/dev/null && browsers="$browsers $one"; done
[ -n "$browsers" ] || { echo "skipped: neither chromium nor firefox-esr is installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --target "$work/lib" av==18.1.0 >/dev/null 2>&1 || { echo "skipped: PyAV 18.1.0 cannot be installed"; exit 77; }
PYTHONPATH="$work/lib" python3 - "$work" $browsers <<'PY'
import array, http.server, json, math, os, pathlib, queue, shutil, signal, subprocess, sys, threading
import av

work, browsers = pathlib.Path(sys.argv[1]), sys.argv[2:]
sound = array.array("f", bytes(4 * 48_000))
for i in range(48):
    sound[9_600 + i] = 0.8 * math.sin(i)
with av.open(str(work / "a.ogg"), "w") as ogg:
    stream = ogg.add_stream("libopus", rate=48_000, layout="mono")
    stream.bit_rate = 128_000
    stream.codec_context.format = "flt"
    for start in range(0, 48_000, 960):
        frame = av.AudioFrame("flt", "mono", 960)
        frame.planes[0].update(sound[start : start + 960].tobytes())
        frame.sample_rate, frame.pts = 48_000, start
        ogg.mux(stream.encode(frame))
    ogg.mux(stream.encode(None))
with av.open(str(work / "a.ogg")) as ogg, av.open(str(work / "a.mp4"), "w") as mp4:
    copy = mp4.add_stream_from_template(ogg.streams.audio[0])
    for packet in ogg.demux(audio=0):
        if packet.size:
            packet.stream = copy
            mp4.mux(packet)
PAGE = """<script type=module>
const found = {};
for (const kind of ['ogg', 'mp4']) {
  const data = await (await fetch('/a.' + kind)).arrayBuffer();
  const buffer = await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(data);
  const samples = buffer.getChannelData(0);
  let peak = 0;
  samples.forEach((value, place) => { if (Math.abs(value) > Math.abs(samples[peak])) peak = place; });
  found[kind] = [peak, samples.length];
}
await fetch('/found', {method: 'POST', body: JSON.stringify(found)});
</script>"""
found = queue.Queue()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        file = work / self.path.strip("/")
        body = PAGE.encode() if self.path == "/" else file.read_bytes() if file.is_file() else b""
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if self.path == "/" else "audio/" + file.suffix[1:])
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        found.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url, moved = f"http://127.0.0.1:{server.server_port}/", []
for name in browsers:
    profile = work / f"profile-{name}"
    profile.mkdir()
    options = ["--headless", "--no-remote", "--profile", str(profile)]
    if name == "chromium":
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        [name, *options, url], env={**os.environ, "HOME": str(profile)}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        seen = found.get(timeout=60)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    version = subprocess.run([name, "--version"], capture_output=True, text=True).stdout.strip()
    for kind, (peak, samples) in seen.items():
        print(f"{version}: {kind} click at {peak / 48:.1f} ms of {samples} samples")
    moved.append(seen["ogg"][0] - seen["mp4"][0] == 312)
shutil.rmtree(work, ignore_errors=True)
if not any(moved):
    print("no browser moves it any more")
    sys.exit(1)
PY
