"""The signing keys when a process dies, while they rotate under load, and when one is stolen.

The suite runs the short form of each; `--thorough` the long one. docs/reliability.md holds the figures.
"""

import contextlib
import itertools
import json
import subprocess
import time

import jwt
import pytest

from support.crash import BY_HALF, NOT_AT_ALL, WHOLE, CrashPlan, signing_keys_on_disk
from support.directory import Directory
from support.keyless import ARM_SCOPE, Keyless
from support.operator import Operator
from support.traffic import Repeated, Traffic, percentile
from support.validator import Validator
from support.waiting import until

RECOVERY_SECS = 2
PUBLISHED = {"published", "active", "retiring"}
# A system's retired keys stay on record for a day: crashing goes on with a new one before they are many.
CRASHES_PER_SYSTEM = 60


def keys_of(system: Keyless) -> list[dict]:
    """The signing keys, as `keyless keys` lists them."""
    return json.loads(system.command("keys", "list", *system.locate(), "--json").stdout)


def kids(keys: list[dict], *states: str) -> set[str]:
    return {key["kid"] for key in keys if key["state"].lower() in states}


def change_keys(system: Keyless, *command: str) -> int:
    return system.command("keys", *command, *system.locate(), check=False).returncode


def traffic_of(system: Keyless) -> Traffic:
    """An application of the system that may call its model."""
    directory = Directory(system)
    application = directory.create_application()
    Operator(system).assign(application, system.account("demo-ai")["id"])
    return Traffic(system, application, directory.add_secret(application))


class Crashing:
    """One system that is killed again and again while its keys change."""

    def __init__(self, system: Keyless, plan: CrashPlan):
        self.system, self.plan = system, plan
        self.crashes = 0
        self.recoveries: list[float] = []
        self.tokens: list[str] = []
        plan.live()
        system.start(env=plan.env)
        self.traffic = traffic_of(system)

    def change_and_die(self, change: str, at: int, how: int) -> bool:
        """Whether it died at that change of a file; afterwards it is up again and everything holds."""
        self.tokens = [self.traffic.token()]
        issued = Repeated([self.collect])
        if change == "start":
            assert self.system.stop() == 0
            self.plan.die_at(at, how)
            try:
                self.system.start(env=self.plan.env)
            except AssertionError:
                assert self.system.process.returncode == -9, self.system.log()
        else:
            with issued:
                command = {"now": ("rotate", "--now"), "graceful": ("rotate",), "revoke": ("revoke", self.signer())}
                self.plan.die_at(at, how)
                change_keys(self.system, *command[change])
                # Flushes that come later belong to the change.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.system.process.wait(0.1)
        died = self.plan.live()
        if died:
            assert self.system.process.wait(10) == -9, self.system.log()
            assert len([key for key in signing_keys_on_disk(self.system.data) if key["state"] == "active"]) <= 1
            began = time.monotonic()
            self.system.start(env=self.plan.env)
            self.recoveries.append(time.monotonic() - began)
            self.crashes += 1
        self.check()
        return died

    def collect(self) -> None:
        """Takes tokens until the system dies."""
        with contextlib.suppress(OSError):
            self.tokens.append(self.traffic.again().token())

    def signer(self) -> str:
        (kid,) = kids(keys_of(self.system), "active")
        return kid

    def check(self) -> None:
        keys = keys_of(self.system)
        assert len(kids(keys, "active")) == 1
        traffic = self.traffic = self.traffic.again()
        validator = Validator(traffic)
        assert validator.keys().keys() == kids(keys, *PUBLISHED)
        revoked = kids(keys, "retired")
        for token in [*self.tokens, traffic.token()]:
            assert validator.accepts(token) != (signed_by(token) in revoked), "signed by a key that is not published"


def signed_by(token: str) -> str:
    return jwt.get_unverified_header(token)["kid"]


def test_kill_9_at_any_write_of_a_rotation_leaves_one_signer_and_every_key_published_f1(
    new_system, crash_shim, tmp_path_factory, thorough, figure
):
    wanted = 1_000 if thorough else 40
    crashes, recoveries = 0, []
    kinds = itertools.cycle(itertools.product(("now", "graceful", "revoke", "start"), (NOT_AT_ALL, BY_HALF, WHOLE)))
    # In the short form, every seventh change of a file; in the long one each.
    step = 1 if thorough else 7
    at, (change, how) = 1, next(kinds)
    while crashes < wanted:
        victim = Crashing(new_system(), CrashPlan(crash_shim, tmp_path_factory.mktemp("plan")))
        while victim.crashes < CRASHES_PER_SYSTEM and crashes + victim.crashes < wanted:
            if victim.change_and_die(change, at, how):
                at += step
            else:
                at, (change, how) = 1 + at % step, next(kinds)
        crashes, recoveries = crashes + victim.crashes, recoveries + victim.recoveries
        assert victim.system.stop() == 0
        victim.system.command("audit", "verify", *victim.system.locate())
    assert max(recoveries) <= RECOVERY_SECS
    figure(
        f"F1: {crashes} crash points, tokens signed by an unpublished key 0, two active keys 0, "
        f"recovery p50 {percentile(recoveries, 50):.2f} s, slowest {max(recoveries):.2f} s (target {RECOVERY_SECS} s)"
    )


@pytest.mark.parametrize("first", range(1, 4))
def test_kill_9_during_the_first_start_leaves_a_folder_that_starts_f1(first, new_system, crash_shim, tmp_path_factory):
    """Every third change of a file, so that the three runs together meet each."""
    plan = CrashPlan(crash_shim, tmp_path_factory.mktemp("plan"))
    for at in itertools.count(first, 30):
        system = new_system()
        plan.die_at(at, at % 3)
        try:
            system.start(env=plan.env)
            plan.live()
            assert system.stop() == 0
            break
        except AssertionError:
            assert system.process.returncode == -9, system.log()
        plan.live()
        system.start(env=plan.env)
        assert len(kids(keys_of(system), "active")) == 1
        assert system.stop() == 0


def test_no_validator_meets_an_unknown_key_while_keys_rotate_under_load_f2(new_system, thorough, figure):
    interval, lead, secs = (10, 6, 600) if thorough else (6, 4, 26)
    system = new_system().start("--rotate-keys-every", f"{interval}s", "--publish-keys-ahead", f"{lead}s")
    traffic = traffic_of(system)
    validator = Validator(traffic.again())
    signers, old, failures, checked = {}, [], [], itertools.count()

    def caller():
        mine = traffic.again()

        def call():
            token = mine.token()
            number = next(checked)
            signers.setdefault(signed_by(token), time.monotonic())
            if number % 20 == 0:
                old.append(token)
            for what, holds in (
                ("a new token outside", validator.accepts(token)),
                ("an old token outside", validator.accepts(old[number % len(old)])),
                ("a token at the gateway", number % 5 or mine.chat(token) == 200),
            ):
                if not holds:
                    failures.append(what)

        return call

    seen: dict[str, dict[str, int]] = {}

    def watch():
        for key in keys_of(system):
            seen.setdefault(key["kid"], {}).setdefault(key["state"].lower(), key["since"])

    wanted = secs // interval - 1
    with Repeated([caller() for _ in range(4)]), Repeated([watch], every_secs=0.2):
        began = time.monotonic()
        until(lambda: failures or len(signers) > wanted, secs * 2, lambda: f"{len(signers)} keys signed")
        secs = time.monotonic() - began
    assert failures == []
    waits = [since["active"] - since["published"] for since in seen.values() if {"active", "published"} <= since.keys()]
    assert min(waits) >= lead * 1000, "a key signed before every cache had to know it"
    assert lead > validator.max_age
    figure(
        f"F2: {secs:.0f} s, {len(signers)} signers, {next(checked)} tokens, validator failures 0 (target 0); keys published "
        f"{min(waits) / 1000:.1f} s or more before first use, key set kept {validator.max_age} s"
    )
    assert system.stop() == 0


def test_keys_that_rotate_faster_than_they_are_published_are_refused(new_system):
    with pytest.raises(AssertionError, match="make the interval longer than the publishing lead"):
        new_system().start("--rotate-keys-every", "10s", "--publish-keys-ahead", "60s")


def test_a_revoked_key_opens_no_plane_and_no_validator_for_longer_than_it_may_f3(new_system, thorough, figure):
    # Verifiers outside keep the key set for half of the lead.
    system = new_system().start("--rotate-keys-every", "1h", "--publish-keys-ahead", "4s")
    traffic = traffic_of(system)
    inside, outside = [], []
    for _ in range(100 if thorough else 5):
        tokens = {"gateway": traffic.token(), "control": traffic.token(ARM_SCOPE)}
        validator = Validator(traffic.again())
        assert validator.accepts(tokens["gateway"])
        # Begin and outcome of each call.
        calls: list[tuple[float, bool]] = []

        def calling(call, token):
            def once():
                began = time.monotonic()
                calls.append((began, call(token) == 200))

            return once

        chat, manage = traffic.again().chat, traffic.again().manage
        with Repeated([calling(chat, tokens["gateway"]), calling(manage, tokens["control"])]):
            until(lambda: len(calls) >= 10)
            assert all(allowed for _, allowed in calls)
            assert change_keys(system, "revoke", signed_by(tokens["gateway"])) == 0
            answered = time.monotonic()
            until(lambda: not validator.accepts(tokens["gateway"]))
            outside.append(time.monotonic() - answered)
        last = max(began for began, allowed in calls if allowed)
        inside.append(max(0.0, last - answered))
        assert not validator.accepts(tokens["control"])
        assert {traffic.chat(tokens["gateway"]), traffic.manage(tokens["control"])} == {401}
        assert traffic.chat(traffic.token()) == 200, "the next key signs at once"
    assert max(inside) == 0, "a call that began after the answer was allowed"
    assert max(outside) <= validator.max_age + 0.5
    figure(
        f"F3: {len(inside)} revocations, calls allowed on our planes after the answer 0; a validator outside that keeps the key "
        f"set for {validator.max_age} s accepts for {max(outside):.2f} s at most (target {validator.max_age} s)"
    )
    assert system.stop() == 0
