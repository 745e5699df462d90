"""Work on recordings in a process of its own: its limits are told as sentences, and it ends when the command does."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from blink_cli.app.files import recording_work
from blink_cli.app.files.recording_work import export_apart, repair_apart
from blink_cli.core.errors import BlinkError, NotFoundError
from blink_cli.lab.leftovers import processes_naming
from tests.record.recording.test_recording import plan_for
from tests.record.simulated_call import ALICE, START_S, Link, Sender, record

WORKER = "from blink_cli.app.files import recording_worker as worker\nfrom pathlib import Path\nworker.{change}\nworker.main()"

_GROW = "repair_recording = lambda path, progress, token: b'x' * (1 << 28)"
_FOR_EVER = (
    "PROCESSOR_S = 1\nworker.repair_recording = lambda path, progress, token: exec('while True: pass')"
)
_CRASH = "repair_recording = lambda path, progress, token: __import__('os').abort()"


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [(_GROW, "would take all memory"), (_FOR_EVER, "would take for ever"), (_CRASH, "ended by signal 6")],
    ids=["memory", "time", "crash"],
)
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
async def test_a_file_that_would_take_all_is_refused_in_a_sentence(
    change: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_work, "WORKER", ("-c", WORKER.format(change=change)))
    path = tmp_path / "x.part.mp4"
    path.write_bytes(b"small")
    with pytest.raises(BlinkError, match=f"damaged so that it cannot be read: .*{sentence}") as told:
        await repair_apart(path, lambda _: None)
    assert told.value.hint
    assert names(tmp_path) == [path.name]


async def test_canceling_ends_it_whatever_it_is_at_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = "repair_recording = lambda path, progress, token: (Path(path).with_name(f'.blink-{token}.mp4').touch(), progress(0.5), __import__('ctypes').PyDLL(None).pause())"
    monkeypatch.setattr(recording_work, "WORKER", ("-c", WORKER.replace("{change}", stuck)))
    path = tmp_path / "x.part.mp4"
    path.write_bytes(b"small")
    begun = asyncio.Event()
    work = asyncio.get_running_loop().create_task(repair_apart(path, lambda _: begun.set()), name="work")
    await asyncio.wait_for(begun.wait(), 30)
    assert len(names(tmp_path)) == 2
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(work, 5)
    assert names(tmp_path) == [path.name]


async def test_errors_keep_their_kind(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no recording") as told:
        await export_apart(tmp_path / "none.mp4", ("wav",), None, lambda _: None)
    assert told.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM and SIGSTOP are POSIX's")
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
async def test_a_command_whose_file_keeps_it_ends_at_once_when_told_to(
    ending: signal.Signals, tmp_path: Path
) -> None:
    """The worker is frozen: as deaf as inside of a library that does not come back."""
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True)]
    recording = record(plan_for(tmp_path, *senders), senders, duration_s=2)
    recording.finish(START_S + 2, "stopped")
    fifo = tmp_path / "frozen"
    os.mkfifo(fifo)
    freezing = f"repair_recording = lambda *_: (open({str(fifo)!r}, 'w').close(), __import__('os').kill(__import__('os').getpid(), 19))"
    command = "\n".join(
        (
            "import sys",
            "from blink_cli.app.files import recording_work",
            f"recording_work.WORKER = ('-c', {WORKER.replace('{change}', freezing)!r})",
            "from blink_cli.__main__ import main",
            f"sys.argv = ['blink', 'record', 'repair', {str(tmp_path / 'x.part.mp4')!r}]",
            "main()",
        )
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", command)
    try:
        await asyncio.wait_for(asyncio.to_thread(fifo.read_bytes), 30)
        process.send_signal(ending)
        assert await asyncio.wait_for(process.wait(), 5) != 0
        assert not processes_naming(str(tmp_path)), "no worker is left"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
