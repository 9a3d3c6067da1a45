"""`keyless run` is invisible to the program it runs, but for the identity it gives."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys

import pytest

from support.other_https import OtherHttps

PRINT_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"
PROMISED = {
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_AUTHORITY_HOST",
    "AZURE_OPENAI_ENDPOINT",
    "OPENAI_API_VERSION",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
}


@pytest.fixture
def child_environment(system, memory):
    """Runs a child under `keyless run` and returns what it found in its environment."""

    def run(**options) -> dict[str, str]:
        done = system.run("demo-app", sys.executable, "-c", PRINT_ENVIRONMENT, **options)
        variables = json.loads(done.stdout)
        memory.remember("identity header", variables["IDENTITY_HEADER"])
        return variables

    return run


def python(system, program: str, **options) -> subprocess.CompletedProcess:
    return system.run("demo-app", sys.executable, "-c", program, check=False, **options)


@pytest.mark.parametrize("code", [0, 1, 2, 37, 255])
def test_exit_code_passes_through(code, system):
    assert python(system, f"raise SystemExit({code})").returncode == code


def test_standard_streams_pass_through(system):
    program = "import sys; print(sys.stdin.read().upper(), end=''); print('aside', file=sys.stderr)"
    done = python(system, program, input="hello")
    assert done.stdout == "HELLO"
    assert "aside" in done.stderr


def test_arguments_pass_through_unchanged(system):
    odd = ["--help", "-x", "two words", "", "--", "$HOME", "ü"]
    done = system.run("demo-app", sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", *odd)
    assert json.loads(done.stdout) == odd


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_passes_through(number, system):
    program = (
        f"import signal, sys\nsignal.signal({int(number)}, lambda *_: sys.exit(41))\n"
        "print('ready', flush=True)\nwhile True: signal.pause()"
    )
    command = system.run_command("demo-app", sys.executable, "-c", program)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout.readline() == "ready\n"
        running.send_signal(number)
        try:
            assert running.wait(10) == 41
        finally:
            running.kill()


def test_a_child_killed_by_a_signal_is_reported_as_shells_do(system):
    done = python(system, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert done.returncode in (128 + signal.SIGKILL, -signal.SIGKILL)


def test_a_program_that_does_not_exist_is_a_clear_failure(system):
    done = system.run("demo-app", "no-such-program-anywhere", check=False)
    assert done.returncode == 127
    assert "no-such-program-anywhere" in done.stderr


def test_an_identity_that_does_not_exist_is_a_clear_failure(system):
    done = system.run("nobody", "true", check=False)
    assert done.returncode in (1, 2)
    assert "nobody" in done.stderr


def test_child_gets_what_is_promised(child_environment, system, demo):
    variables = child_environment()
    assert PROMISED <= variables.keys()
    assert variables["AZURE_CLIENT_ID"] == system.identity("demo-app")["client_id"]
    assert variables["AZURE_TENANT_ID"] == system.ready["tenant_id"]
    assert variables["AZURE_OPENAI_ENDPOINT"].rstrip("/") == demo["endpoint"].rstrip("/")


def test_each_run_has_a_header_of_its_own(child_environment):
    assert child_environment()["IDENTITY_HEADER"] != child_environment()["IDENTITY_HEADER"]


def test_account_chooses_the_endpoint(system, operator):
    account = operator.create_account()
    show = "import os; print(os.environ['AZURE_OPENAI_ENDPOINT'])"
    done = system.run("demo-app", sys.executable, "-c", show, account=account.name)
    assert done.stdout.strip().rstrip("/") == account.endpoint


def test_an_api_key_is_taken_away_and_that_is_said(system):
    key = "a-key-left-over-from-before"
    show = "import os; print('AZURE_OPENAI_API_KEY' in os.environ)"
    done = python(system, show, env=os.environ | {"AZURE_OPENAI_API_KEY": key})
    assert done.stdout.strip() == "False"
    assert "AZURE_OPENAI_API_KEY" in done.stderr
    assert key not in done.stderr


def test_nothing_is_said_when_there_is_no_key(system):
    environment = {name: value for name, value in os.environ.items() if name != "AZURE_OPENAI_API_KEY"}
    assert "AZURE_OPENAI_API_KEY" not in python(system, "pass", env=environment).stderr


def test_bundle_keeps_every_root_the_machine_trusts(child_environment, system):
    roots = certificates(os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile)
    variables = child_environment()
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        bundle = certificates(variables[name])
        assert roots and roots <= bundle
        assert certificates(system.ready["ca_file"]) <= bundle


def test_other_https_keeps_working(system, tmp_path):
    with OtherHttps(tmp_path) as other:
        program = (
            "import os, urllib.request as r\n"
            f"print(r.urlopen({other.url!r}).read().decode())\n"
            "print(r.urlopen(os.environ['AZURE_AUTHORITY_HOST'].rstrip('/') + '/' + os.environ['AZURE_TENANT_ID']"
            " + '/v2.0/.well-known/openid-configuration').status)"
        )
        done = python(system, program, env=os.environ | {"SSL_CERT_FILE": str(other.ca_file)})
    assert done.stdout.split() == ["elsewhere", "200"], done.stderr


def certificates(path: str) -> set[str]:
    """The certificates of a PEM file, each without its line breaks."""
    with open(path, encoding="utf-8", errors="replace") as file:
        found = re.findall(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", file.read(), re.DOTALL)
    return {"".join(text.split()) for text in found}
