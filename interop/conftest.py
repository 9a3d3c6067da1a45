"""One system, one stub upstream and one operator for the whole session."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from support.az import Az
from support.directory import Certificate, Directory, Registered, User
from support.issuer import POD, Issuer
from support.keyless import Keyless
from support.operator import Operator
from support.secrets import Memory
from support.upstream import Upstream

REPOSITORY = Path(__file__).resolve().parent.parent
SYSTEMS: list[Keyless] = []
FIGURES: list[str] = []


def pytest_addoption(parser):
    help_text = "faults at full length: a thousand crashes, ten minutes of rotation"
    parser.addoption("--thorough", action="store_true", help=help_text)


def pytest_configure():
    """Lets every program that a test starts take each signal as a program does that nobody prepared.

    A shell starts what runs in the background with interrupts ignored, `nohup` ignores hang-ups, and what is ignored or blocked stays so
    in every descendant. What this process handles does not.
    """
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        # `subprocess` itself restores these two.
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def pytest_terminal_summary(terminalreporter):
    """What the tests measured, beside what they proved."""
    for line in FIGURES:
        terminalreporter.write_line(line)


def pytest_collection_modifyitems(items):
    """What looks for leaks comes last: it judges everything the others left behind."""
    items.sort(key=lambda item: item.path.name == "test_secrets.py")


@pytest.fixture(scope="session")
def thorough(request) -> bool:
    return request.config.getoption("--thorough")


@pytest.fixture(scope="session")
def figure():
    """Notes a figure against its target; it is shown at the end of the run."""
    return FIGURES.append


@pytest.fixture(scope="session")
def memory() -> Memory:
    return Memory()


@pytest.fixture(scope="session")
def binary() -> Path:
    return Path(os.environ["KEYLESS_BIN"])


@pytest.fixture(scope="session")
def upstream():
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture(scope="session")
def new_system(binary, memory, upstream, tmp_path_factory):
    """Makes systems that are not started yet; none outlives the session."""

    def make(upstream_url: str = upstream.url) -> Keyless:
        SYSTEMS.append(Keyless(binary, tmp_path_factory.mktemp("keyless"), upstream_url, memory))
        return SYSTEMS[-1]

    yield make
    for system in SYSTEMS:
        if system.process and system.process.poll() is None:
            system.kill()


@pytest.fixture(scope="session")
def every_system() -> list[Keyless]:
    """All systems of the session so far, dead ones included."""
    return SYSTEMS


@pytest.fixture(scope="session")
def issuer(tmp_path_factory):
    """GitHub, or a Kubernetes cluster."""
    issuer = Issuer(tmp_path_factory.mktemp("issuer"))
    yield issuer
    issuer.close()


@pytest.fixture(scope="session")
def system(new_system, issuer) -> Keyless:
    system = new_system().start("--trust-issuer", issuer.url, "--issuer-ca", str(issuer.ca_file))
    yield system
    assert system.stop() == 0, f"keyless up did not end well:\n{system.log()}"


@pytest.fixture(scope="session")
def operator(system) -> Operator:
    return Operator(system)


@pytest.fixture(scope="session")
def demo(system) -> dict:
    """The account every new system has."""
    return system.account("demo-ai")


@pytest.fixture(scope="session")
def new_az(tmp_path_factory):
    """Makes an `az` that knows nothing yet, for a system."""

    def make(system: Keyless) -> Az:
        return Az(system, Path(os.environ["KEYLESS_INTEROP_AZ"]), tmp_path_factory.mktemp("az"))

    return make


@pytest.fixture(scope="session")
def admin(new_az, system) -> Az:
    """An `az` signed in as the identity that owns the subscription."""
    return new_az(system).register().sign_in_as_managed_identity("operator")


# --- those who call ---


@pytest.fixture(scope="session")
def directory(system) -> Directory:
    return Directory(system)


@pytest.fixture(scope="session")
def application(directory, operator, demo) -> Registered:
    """May call the demo account's models."""
    application = directory.create_application()
    operator.assign(application, demo["id"])
    return application


@pytest.fixture(scope="session")
def secret(directory, application) -> str:
    return directory.add_secret(application)


@pytest.fixture(scope="session")
def certificate(directory, application, tmp_path_factory) -> Certificate:
    return directory.add_certificate(application, tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def workload(directory, operator, demo, issuer) -> Registered:
    """An application that the pod and the job may be."""
    application = directory.create_application()
    operator.assign(application, demo["id"])
    directory.trust(application, issuer.url, POD)
    return application


@pytest.fixture(scope="session")
def user(directory, operator, demo) -> User:
    """May call the demo account's models."""
    user = directory.create_user()
    operator.assign(user, demo["id"], principal_type="User")
    return user


@pytest.fixture(scope="session")
def examples() -> Path:
    return REPOSITORY / "examples"


@pytest.fixture(scope="session", autouse=True)
def leave_the_cloud_alone():
    """Fails the session rather than let a client ask a real metadata service who we are."""
    real = socket.socket.connect

    def connect(self, address):
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::ffff:127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        return real(self, address)

    socket.socket.connect = connect
    yield
    socket.socket.connect = real


@pytest.fixture(scope="session")
def clock_shim(tmp_path_factory) -> Path:
    """A library that, preloaded, sets a program's wall clock; see its source."""
    return preloaded("clock", tmp_path_factory)


@pytest.fixture(scope="session")
def crash_shim(tmp_path_factory) -> Path:
    """A library that, preloaded, kills a program at a chosen change of a file; see its source."""
    return preloaded("crash", tmp_path_factory)


def preloaded(name: str, tmp_path_factory) -> Path:
    library = tmp_path_factory.mktemp(name) / f"{name}.so"
    source = Path(__file__).parent / "support" / f"{name}.c"
    # The linker that Rust needs is a C compiler, so one is always there.
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return library
