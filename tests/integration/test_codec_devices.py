"""The codec tool's commands that use devices, as processes, with virtual devices: what they play and record is really so."""

import asyncio
import json
import signal

import numpy as np
import pytest
import soundfile

from blink_cli.audio.samples import Samples
from blink_cli.lab.alignment import Fit, fit
from blink_cli.lab.sessions import Machine
from blink_cli.lab.voices import voice, write_mono

pytestmark = [pytest.mark.real_time(within_s=30), pytest.mark.in_pairs]


async def test_a_voice_is_heard_through_the_codec_as_late_as_is_said(machine: Machine) -> None:
    said = voice(0, 3.0)
    spoken = write_mono(machine.directory / "spoken.wav", said)
    heard = machine.directory / "heard.wav"
    done = await machine.run(
        "ann", "codec", "feedback", "--input", f"file:{spoken}", "--output", f"wav:{heard}",
        "--seconds", "3.5", "--bitrate", "48000", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.report()
    told = done.json
    assert 3.4 <= told["seconds"] < 6
    assert told["packets"]["sent"] == pytest.approx(50 * told["seconds"], rel=0.15)
    assert told["mean_bps"] == pytest.approx(48_000, rel=0.25)
    assert told["delay"]["codec_ms"] == 26.5
    sound, _ = soundfile.read(heard, dtype="float32")
    fits = [found for at in (0, 1, 2) if (found := second(said, sound, at)) is not None]
    assert len(fits) == 3
    assert max(found.snr_db for found in fits) > 10
    assert abs(fits[-1].delay_samples / 48 - told["delay"]["total_ms"]) < 20


def second(said: Samples, sound: Samples, at: int) -> Fit | None:
    return fit(
        said[at * 48_000 : (at + 1) * 48_000], sound[at * 48_000 : (at + 2) * 48_000], longest_delay=24_000
    )


async def test_copies_mend_what_is_lost_and_ctrl_c_ends_it_well(machine: Machine) -> None:
    command = machine.command(
        "ann", "codec", "feedback", "--input", "tone:440", "--output", "null",
        "--loss", "20%", "--redundancy", "2", "--json",
    )  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=machine.environment,
    )
    assert process.stderr is not None
    assert b"Ctrl-C ends it" in await process.stderr.readline()
    await asyncio.sleep(1.5)  # how long it is heard
    process.send_signal(signal.SIGINT)
    out, _ = await process.communicate()
    assert process.returncode == 0
    told = json.loads(out)
    assert told["packets"]["lost"] > 3
    assert told["packets"]["recovered_by_redundancy"] > 0.6 * told["packets"]["lost"]


async def test_what_is_recorded_can_be_played(machine: Machine) -> None:
    recorded, played = machine.directory / "recorded.flac", machine.directory / "played.wav"
    done = await machine.run(
        "ann", "codec", "record", str(recorded), "--input", "tone:440", "--seconds", "1", "--json"
    )
    assert done.exit_code == 0, done.report()
    assert done.json["output"]["level_dbfs"] == pytest.approx(-23, abs=0.1)
    assert soundfile.info(recorded).frames == 48_000
    done = await machine.run("ann", "codec", "play", str(recorded), "--output", f"wav:{played}", "--json")
    assert done.exit_code == 0, done.report()
    sound, _ = soundfile.read(played, dtype="float32")
    missing = await machine.run(
        "ann", "codec", "play", str(recorded.with_name("none.wav")), "--output", "null"
    )
    assert missing.exit_code == 3
    assert "playing" not in missing.stderr, "what is not there is not played"
    spectrum = np.abs(np.fft.rfft(sound))
    assert np.argmax(spectrum) / len(sound) * 48_000 == pytest.approx(440, abs=2)
    itself = await machine.run(
        "ann", "codec", "record", str(recorded), "--input", f"file:{recorded}", "--json"
    )
    assert itself.exit_code == 2
    assert "is what is read" in itself.json["error"]["message"]
    refused = await machine.run(
        "ann", "codec", "play", str(machine.directory / "nowhere.wav"), "--output", "null", "--json"
    )
    assert refused.exit_code == 3
    assert not (machine.directory / "nowhere.wav").exists()
