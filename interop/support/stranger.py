"""Another user of this machine.

A fork of the tests that gives its user up, not a program that is started: what this user installed may lie where others may not enter.
"""

import multiprocessing
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import pytest

# Not `nobody`: where users are mapped, that is everybody without a name.
STRANGER = 61234
FORK = multiprocessing.get_context("fork")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


def become_the_stranger() -> None:
    os.setgroups([])
    os.setresgid(STRANGER, STRANGER, STRANGER)
    os.setresuid(STRANGER, STRANGER, STRANGER)


def stranger() -> ProcessPoolExecutor:
    """A process of theirs: `submit` has it call a function of a module. It keeps what that opened until it is left (`with`)."""
    return ProcessPoolExecutor(1, mp_context=FORK, initializer=become_the_stranger)


def as_stranger(function: Callable, *arguments):
    """What `function` of a module returns to them."""
    with stranger() as process:
        return process.submit(function, *arguments).result(30)


def run_as_stranger(program: str | os.PathLike, *arguments: str, env: dict) -> subprocess.CompletedProcess:
    """A program that this user holds open for them: they need not reach the folder that it is in."""
    descriptor = os.open(program, os.O_RDONLY)
    try:
        return subprocess.run(
            [f"/proc/self/fd/{descriptor}", *arguments],
            pass_fds=[descriptor],
            user=STRANGER,
            group=STRANGER,
            extra_groups=[],
            env=env,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    finally:
        os.close(descriptor)
