"""One page in a real browser, which does something with files and reports what it saw.

files (and the page) <--HTTP on loopback-- page (JavaScript) --POST /report--> test
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Final

import pytest
from typing_extensions import override

PATIENCE_S: Final = 60.0
"""A browser needs some seconds to start on a busy machine."""

_TYPES: Final = {".mjs": "text/javascript", ".json": "application/json", ".mp4": "audio/mp4"}

_BROWSERS: Final = {
    "chromium": (
        *("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *(
            "--no-first-run",
            "--mute-audio",
            "--autoplay-policy=no-user-gesture-required",
            "--user-data-dir={profile}",
        ),
    ),
    "firefox-esr": ("firefox-esr", "--headless", "--no-remote", "--profile", "{profile}"),
}

_PAGE: Final = """<!doctype html><title>blink</title><script type="module">
let report;
try { report = {value: await (async () => { %s })()}; } catch (error) { report = {error: `${error}\\n${error.stack}`}; }
await fetch('/report', {method: 'POST', body: JSON.stringify(report)});
</script>"""


def report_of(browser: str, script: str, files: dict[str, Path]) -> Any:
    """Run a script in a browser and return what it returns.

    Args:
        browser: chromium or firefox-esr. Skips the test where it is not installed.
        script: The body of an async function.
        files: What the page can fetch, by the path of its URL without the slash.

    """
    command = _BROWSERS[browser]
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {browser} (Debian package {browser})")
    reports: Queue[dict[str, Any]] = Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(_PAGE % script, files, reports))
    serving = threading.Thread(target=server.serve_forever, name="page")
    serving.start()
    with tempfile.TemporaryDirectory(prefix="blink-page-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [*(word.format(profile=profile) for word in command), f"http://127.0.0.1:{server.server_port}/"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
            start_new_session=True,
        )
        try:
            report = reports.get(timeout=PATIENCE_S)
        except Empty:
            pytest.fail(f"the page said nothing in {PATIENCE_S:g} s; {browser} ended with {process.poll()}")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            server.shutdown()
            serving.join()
            server.server_close()
    assert "error" not in report, report["error"]
    return report["value"]


def _handler(
    page: str, files: dict[str, Path], reports: "Queue[dict[str, Any]]"
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/":
                self._say(200, page.encode(), "text/html")
                return
            file = files.get(self.path.removeprefix("/"))
            if file is None:
                self._say(404, b"", "text/plain")
                return
            content, kind = file.read_bytes(), _TYPES.get(file.suffix, "application/octet-stream")
            part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if part is None:
                self._say(200, content, kind)
                return
            first = int(part[1])
            last = min(int(part[2] or len(content) - 1), len(content) - 1)
            self._say(206, content[first : last + 1], kind, f"bytes {first}-{last}/{len(content)}")

        def do_POST(self) -> None:
            reports.put(json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0)))))
            self._say(200, b"", "text/plain")

        def _say(self, status: int, body: bytes, kind: str, content_range: str | None = None) -> None:
            with suppress(OSError):  # the browser has what it wanted
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Accept-Ranges", "bytes")
                if content_range is not None:
                    self.send_header("Content-Range", content_range)
                self.end_headers()
                self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler
