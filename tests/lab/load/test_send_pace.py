"""When light participants send, and what."""

import asyncio
import time
from collections.abc import Sequence
from itertools import pairwise

import pytest

from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.lab.load import send_pace
from blink_cli.lab.load.send_pace import FRAME_S, PHASES, SendPace

FRAMES = tuple(
    EncodedFrame(payload=bytes([number]) * 9, timestamp=960 * number, duration_samples=960)
    for number in range(7)
)


class Said:
    def __init__(self) -> None:
        self.frames: Sequence[EncodedFrame] = FRAMES
        self.sent: list[tuple[float, EncodedFrame]] = []
        self._said = asyncio.Event()

    def send(self, frame: EncodedFrame) -> None:
        self.sent.append((time.monotonic(), frame))
        self._said.set()

    async def until(self, frames: int) -> None:
        while len(self.sent) < frames:
            self._said.clear()
            await self._said.wait()


async def _spoken(count: int, *, burst: bool, frames: int) -> list[Said]:
    pace = SendPace(burst=burst)
    speakers = [Said() for _ in range(count)]
    for speaker in speakers:
        pace.add(speaker)
    pace.start()
    for speaker in speakers:
        await speaker.until(frames)
    pace.stop()
    return speakers


async def test_everybody_sends_every_frame_once_and_begins_anew_at_the_end() -> None:
    for speaker in await _spoken(12, burst=False, frames=10):
        sent = [frame for _, frame in speaker.sent]
        assert [frame.payload for frame in sent[:10]] == [FRAMES[n % 7].payload for n in range(10)]
        assert {(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(sent)} == {960}
        captured = [frame.captured_at for frame in sent]
        assert all(at is not None for at in captured)
        steps = [after - before for before, after in pairwise(at for at in captured if at is not None)]
        assert steps == pytest.approx([FRAME_S] * len(steps))


async def test_packets_are_spread_over_the_phases_unless_a_burst_is_asked_for() -> None:
    spread = await _spoken(2 * PHASES, burst=False, frames=3)
    due = sorted(speaker.sent[2][1].captured_at or 0.0 for speaker in spread)
    moments = sorted({round(at, 6) for at in due})
    assert len(moments) == PHASES
    assert [b - a for a, b in pairwise(moments)] == pytest.approx([FRAME_S / PHASES] * (PHASES - 1), abs=1e-5)
    together = await _spoken(5, burst=True, frames=3)
    assert len({speaker.sent[2][1].captured_at for speaker in together}) == 1


async def test_what_a_stall_left_out_is_made_up_for_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_pace, "MOST_BEHIND_S", 0.1)
    pace = SendPace()
    speaker = Said()
    pace.add(speaker)
    pace.start()
    time.sleep(0.3)  # noqa: ASYNC251 - the loop stands still
    await speaker.until(1)
    pace.stop()
    assert 4 <= len(speaker.sent) <= 7, "0.1 s of frames, and what was due meanwhile"
    first = speaker.sent[0][1]
    assert first.payload != FRAMES[0].payload, "older ones are left out"
    late = pace.late.percentiles()
    assert late is not None
    assert late.max >= 100
