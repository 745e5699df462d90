"""Real `blink` processes whose audio may take no way but a real TURN server."""

import pytest

from blink_cli.core.api.ice_server import ConfiguredServer
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine
from blink_cli.lab.turn_server import LOOPBACK, TurnServer, free_port

pytestmark = [pytest.mark.real_time(within_s=60), pytest.mark.in_pairs]


def option(server: ConfiguredServer) -> tuple[str, str]:
    return "--ice-server", server.url.replace(":", f":{server.username}:{server.credential}@", 1)


async def test_a_call_of_two_processes_through_the_relay_only(machine: Machine) -> None:
    with TurnServer() as coturn:
        servers = ("--ice-server", f"stun:{LOOPBACK}:{free_port()}", *option(coturn.server(transport="tcp")))
        relayed = ("--ice-transport", "relay", "--output", "null", *servers)
        alice, bob = await together(
            machine.serve("alice", "--input", "tone:440", *relayed),
            machine.serve("bob", "--input", "tone:660", *relayed),
        )
        document = await alice.ask("ice-servers")
        assert document["transport"] == "relay"
        stun, turn = document["servers"]
        assert (stun["kind"], stun["alive"], stun["in_use"]) == ("stun", False, False)
        assert stun["last_error"] == "nothing listens there"
        assert (turn["kind"], turn["alive"], turn["in_use"], turn["last_error"]) == ("turn", True, True, None)
        assert turn["relay_address"].startswith(f"{LOOPBACK}:")
        assert turn["rtt_ms"] > 0
        async with call_of(alice, bob):
            statistics = await alice.until(
                "rtp-stats", lambda shown: shown["peers"][0]["inbound"]["packetsReceived"] > 50
            )
            assert statistics["peers"][0]["inbound"]["packetsLost"] == 0
            allocations = coturn.log.count("ALLOCATE processed, success")
            assert allocations >= 4, "a probe and a link of each session"
        assert await together(alice.quit(), bob.quit()) == [0, 0]
        assert "Traceback" not in alice.stderr + bob.stderr
