"""What is said where pywebrtc-audio does not load."""

import sys
from types import ModuleType

import pytest

from blink_cli.audio.processing.webrtc import UnavailableError, WebrtcNoiseSuppressor, why_unavailable

pytestmark = pytest.mark.no_clock


class _Finder:
    """Has the import of the library fail."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> None:
        if name == "pywebrtc_audio":
            raise self._error


@pytest.mark.parametrize("error", [ImportError("no such file"), OSError("wrong ELF class")])
def test_a_library_that_does_not_load_is_told_in_a_sentence(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "pywebrtc_audio", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Finder(error), *sys.meta_path])
    with pytest.raises(UnavailableError, match=str(error)):
        WebrtcNoiseSuppressor(1)
    reason = why_unavailable()
    assert reason is not None
    assert "blink doctor" in reason
