"""The laboratory's Internet: hosts with public addresses, and hosts behind translators (RFC 4787) whom nobody reaches unasked.

async with Internet(seed=7) as internet:
    server, alice, bob = await internet.hosts("server", "alice", "bob")
    await internet.put_behind_nat(alice, SYMMETRIC)
    await internet.put_behind_nat(bob, PORT_RESTRICTED)
    await internet.set_conditions(Conditions(delay_ms=40, loss=0.02))
"""

from blink_cli.lab.network.laboratory import DEVICE, Host, Laboratory, ip_batch
from blink_cli.lab.network.nat import NatBehaviour


class Internet(Laboratory):
    """Needs root, as every laboratory."""

    wire_module = "blink_cli.lab.network.nat_wire"

    async def put_behind_nat(self, host: Host, behaviour: NatBehaviour) -> str:
        """Give a host a private address, in the subnet that everybody has at home, and its own address to a translator.

        Returns:
            The private address.

        """
        number = host.address.rpartition(".")[2]
        inside = f"192.168.1.{number}"
        await self._order(
            do="nat",
            host=host.name,
            inside=inside,
            outside=host.address,
            mapping=behaviour.mapping,
            filtering=behaviour.filtering,
        )
        await ip_batch(
            host.namespace,
            (
                f"address flush dev {DEVICE} scope global",
                f"address add {inside}/24 brd + dev {DEVICE}",
                f"route replace default dev {DEVICE}",
            ),
        )
        host.machine.interface = None
        return inside

    async def reboot_nat(self, host: Host) -> None:
        """Let a host's translator forget every mapping."""
        await self._order(do="reboot", host=host.name)
