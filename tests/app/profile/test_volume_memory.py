from pathlib import Path

import pytest

from blink_cli.app.profile.profile import Profile
from blink_cli.app.profile.volume_memory import MOST_PEERS, VolumeMemory
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import Did
from blink_cli.core.media.peer_volume import PeerVolume

pytestmark = pytest.mark.no_clock

BOB, CAROL = (Identity(bytes([number]) * 32).did for number in (1, 2))


@pytest.fixture
def memory(tmp_path: Path) -> VolumeMemory:
    return VolumeMemory(Profile("anna", tmp_path, tmp_path))


def test_gain_and_mute_are_kept_for_each_peer_in_order(memory: VolumeMemory) -> None:
    assert memory.volumes() == {}
    chosen = {CAROL: PeerVolume(6.0), BOB: PeerVolume(-3.5, muted=True)}
    memory.remember(chosen)
    assert list(memory.volumes().items()) == list(chosen.items())


def test_who_is_played_as_it_comes_is_forgotten(memory: VolumeMemory) -> None:
    memory.remember({BOB: PeerVolume(6.0)})
    memory.remember({BOB: PeerVolume()})
    assert memory.volumes() == {}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"peers": 7}',
        f'{{"peers": {{"{BOB}": {{"gain_db": 90}}}}}}',
        f'{{"peers": {{"{BOB}": []}}}}',
        "\xff",
    ],
)
def test_a_damaged_file_is_no_memory(memory: VolumeMemory, tmp_path: Path, content: str) -> None:
    (tmp_path / "volumes.json").write_text(content, "latin-1")
    assert memory.volumes() == {}


def test_what_is_no_did_is_left_out(memory: VolumeMemory, tmp_path: Path) -> None:
    (tmp_path / "volumes.json").write_text(
        f'{{"peers": {{"bob": {{"muted": true}}, "{BOB}": {{"muted": true}}}}}}'
    )
    assert memory.volumes() == {BOB: PeerVolume(muted=True)}


def test_the_newest_choices_are_kept(memory: VolumeMemory) -> None:
    dids = [Identity(number.to_bytes(32, "big")).did for number in range(1, MOST_PEERS + 3)]
    memory.remember({Did(did): PeerVolume(1.0) for did in dids})
    assert list(memory.volumes()) == dids[2:]


@pytest.mark.parametrize("gain_db", [-60.1, 20.1, float("nan"), float("inf")])
def test_no_gain_is_beyond_its_bounds(gain_db: float) -> None:
    with pytest.raises(ValueError, match="from -60 to 20 dB"):
        PeerVolume(gain_db)
