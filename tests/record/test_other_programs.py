"""What other programs make of our files, each as its users run it. One recording serves all of them."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from blink_cli.lab.requirements import require_program
from blink_cli.record.finished.repair import repair
from blink_cli.record.recording.recording import Invited
from blink_cli.record.rtp_log.pcap import write_capture
from blink_cli.record.rtp_log.reader import RtpLogReader
from tests.record.recording.test_recording import plan_for
from tests.record.rtp_log_parts import BOBS_SSRC, OWN_SSRC, example_log
from tests.record.simulated_call import ALICE, BOB, CAROL, START_S, Link, Sender, clicks_in, record
from tests.support.page import report_of
from tests.support.witnesses import node_package, python_with, run_python

pytestmark = pytest.mark.no_clock(sockets=True)

LASTS_S: Final = 9.5
MEDIABUNNY: Final = ("mediabunny", "1.61.0")
NAMES: Final = ("Zoë", "bert", "carol")
LATE_S: Final = 0.02
"""A recorder may be so late; see test_recording.py."""

APART_S: Final = 0.007
"""And tracks so far from each other."""


@dataclass(frozen=True)
class Recorded:
    """One recording of three, in each of its states."""

    folder: Path
    finished: Path
    growing: Path
    repaired: Path
    clicks_s: tuple[tuple[float, ...], ...]
    """When each of them clicked."""

    duration_s: float


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recorded")
    senders = [
        # Each begins elsewhere in a packet; one sends nothing for a while, one comes late, and loses some.
        Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True, dtx=(4.0, 5.0)),
        Sender(BOB, 0, [Link(-9, 99, 2, 77)], epoch_s=-1.2295, path_s=0.001),
        Sender(CAROL, 0, [Link(1.3, 99, 3, 99)], epoch_s=-1.2202, path_s=0.001, loss=0.04),
    ]
    invited = tuple(Invited(one.did, name, one.own) for one, name in zip(senders, NAMES, strict=True))
    plan = msgspec.structs.replace(plan_for(folder / "live", *senders), invited=invited)
    recording = record(plan, senders, duration_s=LASTS_S)
    growing, left = folder / "growing.mp4", folder / "left.part.mp4"
    for copy in (growing, left):
        shutil.copy(recording.paths.part, copy)
    sidecar = recording.finish(START_S + LASTS_S, "stopped")
    finished = folder / "finished.mp4"
    shutil.copy(recording.paths.final, finished)
    repaired = repair(left, lambda _: None, "token").path
    clicks_s = tuple(tuple(one.clicks(LASTS_S - 1.0)) for one in senders)
    return Recorded(folder, finished, growing, repaired, clicks_s, sidecar.duration_s)


def ran(*command: str | Path) -> str:
    """What a program that must succeed, without a complaint, prints."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip(), done.stderr
    return done.stdout


def late_s(recorded: Recorded, track: int, sound: npt.NDArray[np.float32]) -> float:
    """How late a track's clicks are, which must agree."""
    found = np.array(clicks_in(sound, list(recorded.clicks_s[track])))
    assert np.isfinite(found).sum() >= 2, found
    assert np.nanmax(found) - np.nanmin(found) < 0.003, found
    return float(np.nanmedian(found))


def judged(late: list[float]) -> None:
    """Whether all tracks are in time, and with each other."""
    assert max(abs(one) for one in late) < LATE_S, late
    assert max(late) - min(late) < APART_S, late


def wav(path: Path) -> npt.NDArray[np.float32]:
    sound: npt.NDArray[np.float32] = soundfile.read(path, dtype="float32", always_2d=True)[0][:, 0]
    return sound


@pytest.mark.parametrize("container", ["ts", "mkv", "ogg", "mp4"])
def test_ffmpeg_copies_all_of_it_into_other_containers(recorded: Recorded, container: str) -> None:
    ffmpeg = require_program("ffmpeg")
    copy = recorded.folder / f"copy.{container}"
    ran(ffmpeg, "-v", "error", "-y", "-i", recorded.finished, "-map", "0", "-c", "copy", copy)
    late = []
    for track in range(3):
        out = recorded.folder / f"copy-{container}-{track}.wav"
        ran(ffmpeg, "-v", "error", "-y", "-i", copy, "-map", f"0:{track}", out)
        sound = wav(out)
        assert len(sound) / 48_000 == pytest.approx(recorded.duration_s, abs=0.02)
        late.append(late_s(recorded, track, sound))
    judged(late)


def test_mkvmerge_takes_every_track_as_an_enabled_one(recorded: Recorded) -> None:
    mkvmerge = require_program("mkvmerge", debian_package="mkvtoolnix")
    ffprobe = require_program("ffprobe", debian_package="ffmpeg")
    for path in (recorded.finished, recorded.repaired, recorded.growing):
        seen = json.loads(ran(mkvmerge, "-J", path))
        assert [track["codec"] for track in seen["tracks"]] == ["Opus"] * 3
        assert all(track["properties"]["enabled_track"] for track in seen["tracks"])
        assert not seen["warnings"]
    out = recorded.folder / "merged.mkv"
    ran(mkvmerge, "--quiet", "-o", out, recorded.finished)
    probed = json.loads(ran(ffprobe, "-v", "error", "-show_format", "-of", "json", out))
    assert float(probed["format"]["duration"]) == pytest.approx(recorded.duration_s, abs=0.02)


@pytest.mark.parametrize("state", ["finished", "growing", "repaired"])
def test_gstreamer_plays_every_track(recorded: Recorded, state: str) -> None:
    launch = require_program("gst-launch-1.0", debian_package="gstreamer1.0-tools")
    path, outs = getattr(recorded, state), [recorded.folder / f"gst-{state}-{n}.wav" for n in range(3)]
    ends = " ".join(
        f"d.audio_{n} ! queue max-size-time=0 max-size-buffers=0 max-size-bytes=0 ! opusdec ! audioconvert ! wavenc ! filesink location={out}"
        for n, out in enumerate(outs)
    )
    ran(launch, "-q", *f"filesrc location={path} ! qtdemux name=d {ends}".split())
    judged([late_s(recorded, track, wav(out)) for track, out in enumerate(outs)])


def test_gstreamer_plays_what_ffmpeg_copied_to_mpeg_ts(recorded: Recorded) -> None:
    launch = require_program("gst-launch-1.0", debian_package="gstreamer1.0-tools")
    copy, out = recorded.folder / "for-gst.ts", recorded.folder / "gst-ts.wav"
    ran(require_program("ffmpeg"), "-v", "error", "-i", recorded.finished, "-map", "0:2", "-c", "copy", copy)
    pipeline = f"filesrc location={copy} ! tsdemux ! opusparse ! opusdec ! audioconvert ! wavenc ! filesink location={out}"
    ran(launch, "-q", *pipeline.split())
    assert len(wav(out)) / 48_000 == pytest.approx(recorded.duration_s, abs=0.03)


@pytest.mark.parametrize("state", ["finished", "growing", "repaired"])
def test_mediabunny_names_every_track(recorded: Recorded, state: str) -> None:
    folder = node_package(*MEDIABUNNY)
    program = """
        const {Input, ALL_FORMATS, FilePathSource} = (await import(process.argv[1])).default;
        const input = new Input({source: new FilePathSource(process.argv[2]), formats: ALL_FORMATS});
        const tracks = await input.getTracks();
        console.log(JSON.stringify(await Promise.all(tracks.map(async track => [track.name, await track.computeDuration()]))));
    """
    module = folder / "dist" / "bundles" / "mediabunny.node.cjs"
    done = subprocess.run(
        [*("node", "--input-type=module", "-e", program, "--"), str(module), str(getattr(recorded, state))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tracks = json.loads(done.stdout)
    assert [name for name, _ in tracks] == [
        f"{n} ({did})" for n, did in zip(NAMES, (ALICE, BOB, CAROL), strict=True)
    ]
    if state == "finished":
        assert [duration_s for _, duration_s in tracks] == pytest.approx([recorded.duration_s] * 3, abs=0.001)


IN_A_PAGE: Final = """
    const {Input, ALL_FORMATS, UrlSource, AudioBufferSink} = await import('/mediabunny.mjs');
    const clicks = await (await fetch('/clicks.json')).json();
    const late = (sound, moments) => moments.map(moment => {
        const first = Math.max(0, Math.round((moment - 0.15) * 48000));
        let peak = first;
        for (let i = first; i < Math.min(first + 14400, sound.length); i++) if (Math.abs(sound[i]) > Math.abs(sound[peak])) peak = i;
        return Math.abs(sound[peak]) > 0.1 ? peak / 48000 - moment : null;
    });
    const alone = [], together = [];
    for (const track of [0, 1, 2]) {
        const data = await (await fetch(`/track-${track}.mp4`)).arrayBuffer();
        const sound = await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(data);
        alone.push(late(sound.getChannelData(0), clicks[track]));
    }
    const input = new Input({source: new UrlSource('/finished.mp4'), formats: ALL_FORMATS});
    for (const [number, track] of (await input.getAudioTracks()).entries()) {
        const sound = new Float32Array(48000 * 12);
        for await (const {buffer, timestamp} of new AudioBufferSink(track).buffers()) {
            const piece = buffer.getChannelData(0), place = Math.round(timestamp * 48000);
            sound.set(place < 0 ? piece.subarray(-place) : piece, Math.max(place, 0));
        }
        together.push(late(sound, clicks[number]));
    }
    return {alone, together};
"""
"""How a page plays several tracks: each decoded from a file of its own, and all from one file by WebCodecs."""


@pytest.mark.parametrize("browser", ["chromium", "firefox-esr"])
def test_browsers_play_all_tracks_in_time_with_each_other(recorded: Recorded, browser: str) -> None:
    ffmpeg = require_program("ffmpeg")
    bundle = node_package(*MEDIABUNNY) / "dist" / "bundles" / "mediabunny.mjs"
    clicks = recorded.folder / "clicks.json"
    clicks.write_text(json.dumps(recorded.clicks_s))
    files = {"mediabunny.mjs": bundle, "clicks.json": clicks, "finished.mp4": recorded.finished}
    for track in range(3):
        one = files[f"track-{track}.mp4"] = recorded.folder / f"track-{track}.mp4"
        ran(ffmpeg, "-v", "error", "-y", "-i", recorded.finished, "-map", f"0:{track}", "-c", "copy", one)
    for late in report_of(browser, IN_A_PAGE, files).values():
        found = [[one for one in clicks if one is not None] for clicks in late]
        assert all(len(clicks) >= 2 for clicks in found), late
        assert max(abs(one) for clicks in found for one in clicks) < LATE_S, late
        flat = [one for clicks in found for one in clicks]
        assert max(flat) - min(flat) < APART_S, late


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported capture of 38 packets."""
    folder = tmp_path_factory.mktemp("capture")
    write_capture(RtpLogReader(example_log(folder / "log.csv")), folder / "log.pcap")
    return folder / "log.pcap"


def test_tcpdump_reads_a_capture(capture: Path) -> None:
    tcpdump = require_program("tcpdump")
    done = subprocess.run(
        [tcpdump, "-n", "-T", "rtp", "-r", str(capture)], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 38
    assert all("udp/rtp" in line for line in lines)


def test_gstreamer_reads_a_capture(capture: Path) -> None:
    launch = require_program("gst-launch-1.0", debian_package="gstreamer1.0-tools")
    said = ran(
        launch,
        "-v",
        *f"filesrc location={capture} ! pcapparse dst-ip=10.0.0.2 ! fakesink silent=false".split(),
    )
    assert said.count("chain") == 20


def test_scapy_reads_a_capture(capture: Path) -> None:
    folder = python_with("scapy==2.8.0")
    program = """if True:
        import json, sys
        from scapy.all import RTP, UDP, rdpcap
        packets = [RTP(bytes(one[UDP].payload)) for one in rdpcap(sys.argv[1])]
        print(json.dumps(sorted({one.sourcesync for one in packets}) + [len(packets)]))
    """
    assert json.loads(run_python(folder, program, str(capture))) == [*sorted((OWN_SSRC, BOBS_SSRC)), 38]


def test_dataframes_type_the_columns_and_what_they_save_again_is_the_same_log(tmp_path: Path) -> None:
    folder = python_with("polars==2.1.0", "pandas==3.1.1")
    log = example_log(tmp_path / "log.csv")
    program = """if True:
        import json, sys
        import pandas, polars
        path = sys.argv[1]
        frame = polars.read_csv(path)
        print(json.dumps({name: str(kind) for name, kind in frame.schema.items()}))
        frame.write_csv(f"{path}.polars.csv")
        frame.write_csv(f"{path}.quoted.csv", separator=";", quote_style="always", null_value="null", include_bom=True)
        table = pandas.read_csv(path)
        table.to_csv(f"{path}.pandas.csv")
        table.to_csv(f"{path}.german.csv", sep=";", decimal=",", index=False, na_rep="NA", encoding="utf-16")
        table[sorted(table.columns)].to_csv(f"{path}.sorted.csv", float_format="%.10g", lineterminator="\\r")
    """
    kinds = json.loads(run_python(folder, program, str(log)))
    text = {"event", "wall_time", "peer", "direction", "outcome", "note", "payload"}
    assert {name for name, kind in kinds.items() if kind == "String"} == text
    rows = list(RtpLogReader(log))
    for name in ("polars", "quoted", "pandas", "german", "sorted"):
        reader = RtpLogReader(Path(f"{log}.{name}.csv"))
        assert list(reader) == rows, name
        assert reader.rows_unreadable == 0
