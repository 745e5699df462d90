"""Records voices and pictures of three participants at real time, for so many seconds or until it is killed.

    python -m tests.record.picture_driver FOLDER SECONDS

alice's camera is this machine's; bob's pictures come 80 ms late with RTP times and sender reports; carol's end after a second. Prints a line of JSON when the file is on the disk.
"""

import functools
import json
import os
import sys
import time
from pathlib import Path

import msgspec

from blink_cli.core.ids import Did
from blink_cli.core.media.recorded_picture import PeerClock, PictureTrack
from blink_cli.core.media.rtp import RtpPacket, SenderReport
from blink_cli.record.recording.recording import Recording, RecordingPlan
from blink_cli.record.recording.recording_thread import RecordingOutcome, RecordingThread
from blink_cli.video.cameras.opener import open_camera
from blink_cli.video.picture import Picture, timestamp_at
from blink_cli.video.recorded.picture_recorder import PictureRecorder
from tests.record.simulated_call import ALICE, BOB, CALL, CAROL, FRAME, OPUS, RED, Sender, invited

PAYLOAD = bytes.fromhex("48") + bytes(range(60))
ONE_WAY_S = 0.02
DECODED_S = 0.08
CAROL_S = 1.0
BOB_EPOCH = 0xFFFF_0000
"""Bob's RTP time is near its wrap."""


ALIVE = "alive"
"""A file in the folder: until when, in the recording's seconds, this process had a processor."""


def main() -> None:
    """Record."""
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    tracks = {ALICE: PictureTrack(320, 180), BOB: PictureTrack(640, 360), CAROL: PictureTrack(160, 90)}
    people = tuple(
        msgspec.structs.replace(one, pictures=tracks[one.did])
        for one in invited(Sender(ALICE, own=True), Sender(BOB), Sender(CAROL))
    )
    begun: list[Recording] = []
    ended: list[RecordingOutcome] = []
    plan = RecordingPlan(folder, CALL, people, ("mp4",), None, time.monotonic(), time.time())
    thread = RecordingThread(plan, on_begun=begun.append, on_ended=ended.append)
    reports: dict[Did, SenderReport] = {}

    def bobs_time(moment_s: float) -> int:
        return (timestamp_at(moment_s - plan.start_s) + BOB_EPOCH) & 0xFFFF_FFFF

    recorder = PictureRecorder(
        tracks,
        plan.start_s,
        clock_of=lambda did: PeerClock(reports.get(did), 2 * ONE_WAY_S),
        encoded=functools.partial(thread.put, Recording.seen),
    )
    thread.start()
    recorder.start()
    for did in (BOB, CAROL):
        thread.put(Recording.link_connected, did, OPUS, RED, plan.start_s)
    cameras = {
        ALICE: open_camera("testsrc?size=320x180&fps=15"),
        BOB: open_camera("testsrc?size=640x360&fps=20"),
        CAROL: open_camera("testsrc?size=160x90&fps=10"),
    }
    for camera in cameras.values():
        camera.start(time.monotonic())
    smaller = open_camera("testsrc?size=352x288&fps=20")
    coming: list[tuple[float, Did, Picture]] = []
    sent, said, report_s = 0, False, 0.0
    alive = os.open(folder / ALIVE, os.O_CREAT | os.O_WRONLY, 0o600)
    while (now_s := time.monotonic()) - plan.start_s < seconds:
        if now_s - plan.start_s > seconds / 2 and cameras[BOB] is not smaller:
            # Another camera, with pictures of another size and shape.
            cameras[BOB].stop()
            cameras[BOB] = smaller
            smaller.start(now_s)
        while plan.start_s + (sent + 1) * 0.02 <= now_s:
            for ssrc, did in enumerate((BOB, CAROL)):
                packet = RtpPacket(
                    ssrc, sent & 0xFFFF, sent * FRAME, OPUS, marker=False, payload=PAYLOAD, arrival_s=now_s
                )
                thread.put(Recording.received, did, packet)
            sent += 1
        if now_s >= report_s:
            report_s = now_s + 0.5
            said_s = now_s - ONE_WAY_S
            reports[BOB] = SenderReport(1, 0.0, bobs_time(said_s), 0, 0, now_s)
        for did, camera in cameras.items():
            picture = camera.read(now_s)
            if picture is None or (did == CAROL and now_s - plan.start_s > CAROL_S):
                continue
            assert picture.captured_at is not None
            if did == ALICE:
                recorder.put(did, picture)
            else:
                stamp = bobs_time(picture.captured_at)
                coming.append(
                    (
                        picture.captured_at + DECODED_S,
                        did,
                        Picture(picture.y, picture.u, picture.v, stamp, None),
                    )
                )
        while coming and coming[0][0] <= now_s:
            _, did, picture = coming.pop(0)
            recorder.put(did, picture)
        if begun and not said:
            said = True
            place = str(begun[0].paths.part)
            sys.stdout.write(json.dumps({"pid": os.getpid(), "path": place, "start_s": plan.start_s}) + "\n")
            sys.stdout.flush()
        os.pwrite(alive, f"{time.monotonic() - plan.start_s:012.6f}".encode(), 0)
        time.sleep(0.004)
    os.close(alive)
    recorder.stop()
    thread.stop("stopped", time.monotonic())
    assert thread.join(20)
    assert ended[0].sidecar is not None
    filmed = [one.pictures is not None for one in ended[0].sidecar.participants]
    sys.stdout.write(json.dumps({"dropped": recorder.dropped, "pictures": filmed}))


if __name__ == "__main__":
    main()
