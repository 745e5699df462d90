#!/usr/bin/env bash
# nats-py 2.16.0 (PyPI), CPython 3.11, Linux: `flush()` returns although what was published before it has not reached the server.
#
# Expected: `flush` "sends a ping to the server expecting a pong back ensuring what we have written so far has made it to the server". The server answers in order, so a pong says that all before it was read.
#
# Seen: `publish` and `subscribe` put their commands into a list that a task writes later; `flush` writes its PING to the socket itself, past that list, and wakes the task afterwards. On the wire the PING
# comes first, and the PONG may be back before anything else is sent. A connection that is cut after a successful `flush` loses the messages; a peer that publishes after our `subscribe` and `flush` is not
# heard. nats-py's own `close()` writes the list, which hides it, and so does a slow server.
#
# Exits 0 if it is so, 1 if it is not, 77 if nats-py cannot be had here.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/site" nats-py==2.16.0 2>/dev/null || exit 77

cat >"$work/try.py" <<'PY'
import asyncio

import nats

INFO = b'INFO {"server_id":"x","version":"2.10.0","max_payload":1048576}\r\n'


async def main() -> None:
    read = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(INFO)
        while line := await reader.readline():
            read.append(line.split()[0].decode() if line.split() else "")
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = await nats.connect(f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}", allow_reconnect=False)
    read.clear()
    await client.subscribe("a")
    await client.publish("b", b"x")
    await client.flush()
    await asyncio.sleep(0.2)  # what comes late comes all the same
    print("the server read:", *(word for word in read if word in {"SUB", "PUB", "PING"}))


asyncio.run(main())
PY
said=$(PYTHONPATH="$work/site" python3 "$work/try.py" 2>/dev/null)
printf '%s\n' "$said"
grep -q "^the server read: PING SUB PUB$" <<<"$said"
