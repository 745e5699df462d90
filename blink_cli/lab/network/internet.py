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

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._away: set[str] = set()

    async def put_behind_nat(self, host: Host, behaviour: NatBehaviour) -> str:
        """Give a host a private address, in the subnet that everybody has at home, and its own address to a translator.

        Returns:
            The private address.

        """
        inside = f"192.168.1.{host.address.rpartition('.')[2]}"
        host.machine.interface = None
        await self._give_addresses(host, behaviour, inside=inside, outside=host.address)
        return inside

    async def move_behind_nat(self, host: Host, behaviour: NatBehaviour) -> str:
        """Let a host go from one network to another, as from Wi-Fi to cable: behind another translator, with another address inside and outside.

        The next time it comes back to the first. `host.address` stays as it is.

        Returns:
            The private address.

        """
        self._away ^= {host.name}
        is_away = host.name in self._away
        network, _, number = host.address.rpartition(".")
        inside = f"192.168.{1 + is_away}.{number}"
        outside = f"{network}.{int(number) + 100 * is_away}"
        await self._give_addresses(host, behaviour, inside=inside, outside=outside)
        return inside

    async def _give_addresses(
        self, host: Host, behaviour: NatBehaviour, *, inside: str, outside: str
    ) -> None:
        await self._order(
            do="nat",
            host=host.name,
            inside=inside,
            outside=outside,
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

    async def reboot_nat(self, host: Host) -> None:
        """Let a host's translator forget every mapping."""
        await self._order(do="reboot", host=host.name)
