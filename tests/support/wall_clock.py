"""A wall clock of its own for one process, which can be set while it runs; monotonic time stays the machine's.

    clock = WallClock(folder, ahead_s=3600.0)
    Machine(environment=clock.environment)
    clock.set(ahead_s=-3600.0)

libfaketime would do, but with the monotonic clock left alone it breaks `clock_nanosleep`, and so Python's `time.sleep`. Made by the C compiler,
once a run, and loaded before the program: it shifts what the C library says of CLOCK_REALTIME, and the kernel's stamps of datagrams.
"""

import atexit
import functools
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from blink_cli.lab.requirements import require_program

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *ahead_ns;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("WALL_CLOCK_FILE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *mapped = mmap(0, 8, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED) ahead_ns = mapped;
    close(fd);
}

static void shift(struct timespec *time) {
    if (!ahead_ns) return;
    int64_t ns = time->tv_sec * INT64_C(1000000000) + time->tv_nsec + *ahead_ns;
    time->tv_sec = ns / 1000000000;
    time->tv_nsec = ns % 1000000000;
}

int clock_gettime(clockid_t which, struct timespec *time) {
    int failed = syscall(SYS_clock_gettime, which, time);
    if (!failed && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) shift(time);
    return failed;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (time) { time->tv_sec = now.tv_sec; time->tv_usec = now.tv_nsec / 1000; }
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

int ioctl(int fd, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    int result = syscall(SYS_ioctl, fd, request, argument);
    if (result >= 0 && request == 0x8907) shift(argument);
    return result;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    ssize_t length = syscall(SYS_recvmsg, fd, message, flags);
    if (length >= 0)
        for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
            if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_TIMESTAMPNS) {
                struct timespec stamp;
                memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
                shift(&stamp);
                memcpy(CMSG_DATA(part), &stamp, sizeof stamp);
            }
    return length;
}
"""


@functools.cache
def _library() -> Path:
    compiler = require_program("gcc", debian_package="gcc")
    folder = Path(tempfile.mkdtemp(prefix="blink-wall-clock-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source, library = folder / "wall_clock.c", folder / "wall_clock.so"
    source.write_text(_SOURCE)
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


class WallClock:
    """Of the processes that are started with its environment."""

    def __init__(self, folder: Path, *, ahead_s: float = 0.0) -> None:
        """Begin so many seconds ahead of the machine's clock; `folder` is the test's."""
        self._file = Path(tempfile.mkstemp(dir=folder, prefix="wall-clock-")[1])
        self.set(ahead_s=ahead_s)

    @property
    def environment(self) -> dict[str, str]:
        """What the processes need."""
        return {"LD_PRELOAD": str(_library()), "WALL_CLOCK_FILE": str(self._file)}

    def set(self, *, ahead_s: float) -> None:
        """Set it, at once, in all processes: so many seconds ahead of the machine's."""
        with self._file.open("r+b") as shared:
            shared.write(struct.pack("@q", round(ahead_s * 1e9)))
