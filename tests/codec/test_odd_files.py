"""Files that are odd, or hostile, are told in a sentence, or read as far as they are sound."""

import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blink_cli.codec.options import Source
from blink_cli.codec.packet_reader import open_packets
from blink_cli.codec.sound_reader import open_sound
from blink_cli.core.errors import UsageError

pytestmark = pytest.mark.no_clock


def write_wav(path: Path, frames: int = 4800) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(bytes(2 * frames))


def test_what_is_no_number_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "odd.wav"
    sound = np.full(4800, 0.25, dtype=np.float32)
    sound[[10, 20, 30, 40]] = np.nan, np.inf, -np.inf, 1e30
    soundfile.write(path, sound, 48_000, subtype="FLOAT")
    with open_sound(Source(path)) as reader:
        read = np.concatenate(list(reader.blocks()))[:, 0]
    assert read[[10, 20, 30, 40]].tolist() == [0.0] * 4
    assert read[[9, 11, 4799]].tolist() == [0.25, 0.25, 0.25]


@pytest.mark.parametrize("channels", [0, 65_535])
def test_a_header_without_possible_channels_is_no_sound(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "odd.wav"
    write_wav(path)
    data = bytearray(path.read_bytes())
    data[22:24] = channels.to_bytes(2, "little")
    path.write_bytes(data)
    with pytest.raises(UsageError), open_sound(Source(path)):
        pass


@pytest.mark.parametrize("rate_hz", [1, 999, 768_001, 2_000_000_000])
def test_a_rate_that_no_sound_has_is_refused(tmp_path: Path, rate_hz: int) -> None:
    path = tmp_path / "odd.wav"
    write_wav(path)
    data = bytearray(path.read_bytes())
    data[24:28] = rate_hz.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(UsageError, match=f" {rate_hz} Hz"), open_sound(Source(path)):
        pass


@pytest.mark.parametrize("data", [b"", b"OggS\x00\x02" + bytes(20), b"hello\n" * 100, bytes(5000)])
def test_what_holds_no_packets_is_told(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "odd.opus"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"odd\.opus"), open_packets(path):
        pass
