"""Child processes: start, wait until they answer, CPU time and memory of the whole tree, orderly end."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Missing(Exception):
    """A program that has to be installed first."""


def need(program, package=None):
    """The path of `program`, or an error that says how to get it."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if not found:
        raise Missing(f"{program} is not installed: apt-get install {package or program}")
    return found


def free_port():
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, seconds=10):
    """Returns once something accepts connections on 127.0.0.1:`port`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")


class Child:
    """A process we started, with everything it started. Ends with the `with` block."""

    def __init__(self, arguments, log, env=None):
        self.log = log
        with open(log, "ab") as sink:
            self.process = subprocess.Popen(
                [str(argument) for argument in arguments],
                stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env, start_new_session=True,
            )
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def alive(self):
        return self.process.poll() is None

    def stop(self, seconds=10):
        """SIGTERM, and SIGKILL to the session when that is not heard. Returns the exit code."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self.process.wait()
        return self.process.returncode

    def tail(self, lines=20):
        """The end of its log, for error messages."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    def tree(self):
        """Process ids of this child and all below it."""
        return [self.pid, *below(self.pid)]

    def cpu_seconds(self):
        """CPU time used so far by the tree, user and system."""
        return sum(cpu_seconds(pid) for pid in self.tree())

    def rss_kib(self):
        """Resident memory of the tree."""
        return sum(status_kib(pid, "VmRSS") for pid in self.tree())

    def peak_rss_kib(self):
        """Highest resident memory so far, summed over the tree."""
        return sum(status_kib(pid, "VmHWM") for pid in self.tree())


def below(pid):
    """Ids of all descendants of `pid`."""
    found = []
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = [int(child) for child in file.read().split()]
    except FileNotFoundError:
        return found
    for child in children:
        found += [child, *below(child)]
    return found


def cpu_seconds(pid):
    """User plus system time of one process; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def status_kib(pid, key):
    """One memory line of /proc/PID/status; 0 when the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith(key + ":"):
                    return int(line.split()[1])
    except FileNotFoundError:
        pass
    return 0


class Noise:
    """How much CPU somebody else used while we measured, as a share of the machine."""

    def __init__(self, children):
        self.children = children
        self.began = time.monotonic()
        self.busy = busy_seconds()
        self.own = self._own()

    def _own(self):
        self_and_ended = sum(
            usage.ru_utime + usage.ru_stime
            for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
        )
        return self_and_ended + sum(child.cpu_seconds() for child in self.children)

    def share(self):
        elapsed = (time.monotonic() - self.began) * os.cpu_count()
        foreign = (busy_seconds() - self.busy) - (self._own() - self.own)
        return max(0.0, foreign / elapsed)


def busy_seconds():
    """CPU time the whole machine has been busy."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _idle, _iowait, irq, softirq, steal = (int(n) for n in file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS
