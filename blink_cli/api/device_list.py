"""Every audio device of this machine, real and virtual."""

from typing import Final

import msgspec

from blink_cli.api.documents import DeviceList, DeviceRow
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import DeviceError

VIRTUAL_DEVICES: Final = (
    # name, inputs, outputs
    ("silence", 1, 0),
    ("echo:10", 1, 0),
    ("tone:440", 1, 0),
    ("file:PATH", 1, 0),
    ("null", 0, 1),
    ("echo", 0, 1),
    ("wav:PATH", 0, 1),
)


def device_list() -> DeviceList:
    """Return every device, and what to do when the system's cannot be listed.

    Asks the system and blocks.
    """
    from blink_cli.audio.devices.listing import system_devices  # noqa: PLC0415 - asks the system in another process

    hint: str | None = None
    found: list[DeviceRow] = []
    try:
        found.extend(
            DeviceRow(**msgspec.structs.asdict(device), virtual=False) for device in system_devices()
        )
        if not found:
            hint = "The sound system has no devices; virtual devices work without any."
    except DeviceError as error:
        hint = " ".join(filter(None, (error.message, error.hint)))
    found.extend(
        DeviceRow(
            name=name,
            host_api="blink",
            inputs=inputs,
            outputs=outputs,
            default_input=False,
            default_output=False,
            sample_rate=float(SAMPLE_RATE_HZ),
            virtual=True,
        )
        for name, inputs, outputs in VIRTUAL_DEVICES
    )
    return DeviceList(devices=tuple(found), hint=hint)
