"""What each device can do, as a table."""

from collections.abc import Sequence

from blink_cli.api.documents import DeviceCan
from blink_cli.commands.names_shown import described_device
from blink_cli.commands.show.layout import Cell, Column, Table


def abilities_table(devices: Sequence[DeviceCan]) -> Table:
    """A row for each direction of each device; the default ones are marked."""
    columns = (
        Column("device", "words"),
        Column("direction"),
        Column("by itself", rank=1),
        Column("rates in kHz", "words", rank=2),
        Column("channels", rank=2),
        Column("types", "words", rank=4),
        Column("latency", right=True, rank=3),
    )
    return Table(columns, tuple(_row(device) for device in devices))


def _row(device: DeviceCan) -> tuple[Cell, ...]:
    kind = "" if device.preferred_type is None else f", {device.preferred_type}"
    own = f"{device.preferred_rate} Hz, {device.preferred_channels} ch{kind}"
    every = device.converts
    rates = "all" if every else " ".join(f"{rate / 1000:g}" for rate in device.rates) or "none"
    channels = "all" if every else " ".join(str(count) for count in device.channels) or "none"
    return (
        Cell(described_device(device.name, device.description)),
        Cell(f"{'monitor' if device.monitor else device.direction}{', default' if device.default else ''}"),
        Cell(own),
        Cell(rates),
        Cell(channels),
        Cell("all" if every else " ".join(device.sample_types) or "none"),
        Cell(_latency(device)),
    )


def _latency(device: DeviceCan) -> str:
    if device.latency_now_ms is not None:
        return f"{device.latency_now_ms:.0f} ms"
    if device.latency_low_ms is None or device.latency_high_ms is None:
        return "-"
    return f"{device.latency_low_ms:.0f}-{device.latency_high_ms:.0f} ms"
