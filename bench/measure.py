"""What the kernel knows of a process: CPU time and memory, with all its threads and children. Linux only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

_PROC = Path("/proc")


class Spent(Struct, frozen=True):
    """Seconds of CPU that went by in a window, per party; also one reading of the clocks."""

    seconds: float
    gateway: float
    mock: float
    client: float

    def since(self, earlier: Spent) -> Spent:
        """Return what was spent between two readings."""
        return Spent(
            self.seconds - earlier.seconds,
            self.gateway - earlier.gateway,
            self.mock - earlier.mock,
            self.client - earlier.client,
        )


class Meter(Struct, frozen=True):
    """Read the clocks of the gateway and of the mock; the client is this process."""

    gateway: int
    """Process id, 0 when the client asks the mock directly."""
    mock: int

    def read(self) -> Spent:
        """Return the clocks as they stand."""
        gateway = cpu_seconds(self.gateway) if self.gateway else 0.0
        return Spent(time.perf_counter(), gateway, cpu_seconds(self.mock), time.process_time())


def cpu_seconds(pid: int) -> float:
    """Return the CPU time, user and system, that `pid`, its threads and its living children have used.

    It is utime + stime of /proc/PID/stat, read from the process's clock, which counts nanoseconds and not the ticks of
    10 ms in that file. Source: clock_getcpuclockid(3); the number of a process's clock is `~pid << 3 | 2`.
    """
    return sum(time.clock_gettime(~one << 3 | 2) for one in family(pid))


def rss_bytes(pid: int) -> int:
    """Return the resident memory of `pid` and its children; pages they share count in each."""
    return sum(_resident(one) for one in family(pid))


def family(pid: int) -> list[int]:
    """Return `pid` and all its living descendants."""
    found = [pid]
    for task in (_PROC / str(pid) / "task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0..1) of `values` do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _resident(pid: int) -> int:
    for line in (_PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
