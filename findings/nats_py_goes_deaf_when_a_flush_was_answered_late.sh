#!/usr/bin/env bash
# nats-py 2.16.0 (PyPI), CPython 3.11, Linux: after one `flush()` that timed out, a client that still says that it is connected hears nothing any more.
#
# Expected: `flush(timeout)` raises TimeoutError when the server takes longer; the PONG that comes later is of no use, and messages go on to come.
#
# Seen: the future of the flush is cancelled but stays in the list of those that wait for a PONG. When the PONG comes, `set_result` on it raises InvalidStateError inside the parser; the reading task catches every exception, logs
# "nats: encountered error" and ends. No callback is called, `is_connected` stays True, publishing works, and no message is read any more until the client's own pings (every two minutes) have missed twice. So the usual way to
# find out whether a server answers makes the client deaf exactly when a busy server answered a moment too late.
#
# Exits 0 if it is so, 1 if it is not, 77 if nats-py cannot be had here.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/site" nats-py==2.16.0 2>/dev/null || exit 77

cat >"$work/try.py" <<'PY'
import asyncio
import logging

import nats

logging.disable()
INFO = b'INFO {"server_id":"x","version":"2.10.0","max_payload":1048576}\r\n'


async def main() -> None:
    slow_s = 0.0
    clients = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.append(writer)
        writer.write(INFO)
        while line := await reader.readline():
            if line.startswith(b"PING"):
                await asyncio.sleep(slow_s)
                writer.write(b"PONG\r\n")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    told, came = [], []

    async def tell(what: object = None) -> None:
        told.append(what)

    client = await nats.connect(
        f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}",
        error_cb=tell, closed_cb=tell, disconnected_cb=tell, reconnected_cb=tell,
    )

    async def hear(message: object) -> None:
        came.append(message)

    await client.subscribe("a", cb=hear)
    await asyncio.sleep(0.1)

    async def says(times: int) -> int:
        before = len(came)
        for _ in range(times):
            clients[-1].write(b"MSG a 1 5\r\nhello\r\n")
            await asyncio.sleep(0.05)
        return len(came) - before

    print("before:", await says(3), "of 3 messages came")
    slow_s = 0.6
    try:
        await client.flush(0.3)
    except nats.errors.TimeoutError:
        print("flush timed out, as it should")
    slow_s = 0.0
    await asyncio.sleep(0.6)
    print("after the late PONG:", await says(3), "of 3 messages came, connected", client.is_connected, "told", len(told))


asyncio.run(main())
PY
said=$(PYTHONPATH="$work/site" python3 "$work/try.py" 2>/dev/null || true)
printf '%s\n' "$said"
grep -q "^before: 3 of 3" <<<"$said"
grep -q "^flush timed out" <<<"$said"
grep -q "^after the late PONG: 0 of 3 messages came, connected True told 0$" <<<"$said"
