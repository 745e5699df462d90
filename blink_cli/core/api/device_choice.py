"""Which device is meant by what a user wrote: its name, its description, or a part of either that fits one only.

Sound servers name their devices for programs (`alsa_output.usb-0d8c_Headset-00.analog-stereo`) and describe them for people (`USB Headset`).
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec
from typing_extensions import override

from blink_cli.core.api.name_options import file_hint
from blink_cli.core.errors import NotFoundError


class DeviceLabel(msgspec.Struct, frozen=True):
    """What can be written for one device."""

    name: str
    description: str | None = None
    monitor: bool = False
    """Hears what a speaker plays. A part of a name means it only if no other device has it."""

    @override
    def __str__(self) -> str:
        if self.description in (None, self.name):
            return self.name
        return f"{self.description} ({self.name})"


def named(wanted: str, labels: Sequence[DeviceLabel]) -> DeviceLabel | None:
    """Return the device whose name or description this is, letter case aside where that is not needed; None if there is none.

    Raises:
        NotFoundError: Several devices have this description.

    """
    text, folded = wanted.strip(), wanted.strip().casefold()
    tests: tuple[Callable[[DeviceLabel], bool], ...] = (
        lambda label: label.name == text,
        lambda label: (label.description or "").strip() == text,
        lambda label: label.name.casefold() == folded,
        lambda label: (label.description or "").strip().casefold() == folded,
    )
    for test in tests:
        found = _only(wanted, filter(test, labels))
        if found is not None:
            return found
    return None


def partly_named(wanted: str, labels: Sequence[DeviceLabel]) -> DeviceLabel | None:
    """Return the device in whose name or description this stands, letter case aside; None if there is none.

    Raises:
        NotFoundError: Several devices fit.

    """
    folded = wanted.strip().casefold()
    fitting = [label for label in labels if folded in f"{label.name}\n{(label.description or '')}".casefold()]
    real = [label for label in fitting if not label.monitor]
    return _only(wanted, real or fitting)


def no_such_device(wanted: str, labels: Iterable[DeviceLabel], file_kind: str | None = None) -> NotFoundError:
    """The error of a name that fits nothing. `file_kind` is what stands before a file's name where one may be used: `file` or `wav`."""
    known = ", ".join(sorted({str(label) for label in labels if not label.monitor})) or "none"
    return NotFoundError(
        f"There is no audio device {wanted!r}.",
        hint=f"{file_hint(wanted, file_kind) if file_kind else ''}The real devices here are: {known}. `blink list-devices` lists all.",
    )


def _only(wanted: str, fitting: Iterable[DeviceLabel]) -> DeviceLabel | None:
    by_name = {label.name: label for label in fitting}
    if len(by_name) > 1:
        shown = ", ".join(sorted(str(label) for label in by_name.values()))
        raise NotFoundError(
            f"{wanted!r} fits {len(by_name)} audio devices: {shown}.",
            hint="Write more of the name, or the whole name in brackets.",
        )
    return next(iter(by_name.values()), None)
