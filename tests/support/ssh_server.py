"""An sshd of a test's own on loopback, and an `ssh` that knows its key: another machine, as far as the laboratory can see."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blink_cli.lab.requirements import require_program, unavailable

HOST = "other-machine"


@contextmanager
def ssh_server(folder: Path) -> Iterator[dict[str, str]]:
    """Run sshd; yields what the environment needs so that `ssh other-machine` reaches it."""
    sshd = require_program("sshd", debian_package="openssh-server")
    ssh = require_program("ssh", debian_package="openssh-client")
    if os.geteuid() != 0:
        unavailable("an sshd of a test's own needs root, which its user is")
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    host_key = (folder / "host_key.pub").read_text(encoding="utf-8")
    (folder / "known_hosts").write_text(f"{HOST} {host_key}", encoding="utf-8")
    (folder / "config").write_text(
        f"Host {HOST}\n HostName 127.0.0.1\n Port {port}\n User root\n HostKeyAlias {HOST}\n"
        f" IdentityFile {folder}/user_key\n IdentitiesOnly yes\n UserKnownHostsFile {folder}/known_hosts\n",
        encoding="utf-8",
    )
    words = folder / "bin"
    words.mkdir()
    (words / "ssh").write_text(f'#!/bin/sh\nexec {ssh} -F {folder}/config "$@"\n', encoding="utf-8")
    (words / "ssh").chmod(0o755)
    server = subprocess.Popen(
        [sshd, "-D", "-e", "-f", "/dev/null", "-p", str(port), "-h", str(folder / "host_key")]
        + [f"-o{option}" for option in ("ListenAddress=127.0.0.1", "StrictModes=no", "PidFile=none")]
        + [f"-oAuthorizedKeysFile={folder}/user_key.pub", "-oPermitRootLogin=prohibit-password"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        deadline = time.monotonic() + 10
        for line in server.stderr:
            if "listening" in line or time.monotonic() > deadline:
                break
        yield {"PATH": f"{words}{os.pathsep}{os.environ['PATH']}"}
    finally:
        server.terminate()
        server.communicate()
