"""The commands of a page, and a place to run them in as a reader would: the usual ports, a model server, GitHub, and nothing else of the world."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PARTS = REPOSITORY / "interop" / "documents"
FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
NAMES = {"127.0.0.1": "localhost token.actions.githubusercontent.com", "127.0.0.2": "gitlab.com"}
TIMEOUT_SECS = 480

# Blocks that are not run say why, after the language, where a reader does not see it: ```sh not-run=builds
NOT_RUN = {
    "builds": "compiles the workspace; the suite itself is made of these commands",
    "installs": "fetches packages, which no test does; run.py installs the same ones",
    "person": "needs a person at a browser; test_az_login.py does it with one. Here the operator's identity signs in",
    "entra": "asks Microsoft's directory",
}
# What stands in for a block that later ones need, by its reason.
INSTEAD = {
    "person": """
        eval "$(keyless env --as operator | grep IDENTITY_)"
        az login --identity --client-id "$(keyless status --json | python -c '
import json, sys
def ids(value):
    if isinstance(value, dict):
        if value.get("name") == "operator" and "client_id" in value: print(value["client_id"])
        value = list(value.values())
    if isinstance(value, list): [ids(item) for item in value]
ids(json.load(sys.stdin))')" --output none
    """,
}


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def not_run(self) -> str | None:
        return next((word.removeprefix("not-run=") for word in self.words if word.startswith("not-run=")), None)


def pages() -> list[str]:
    found = [REPOSITORY / "README.md", REPOSITORY / "examples" / "README.md", *(REPOSITORY / "docs").rglob("*.md")]
    return sorted(str(page.relative_to(REPOSITORY)) for page in found)


def blocks(page: str) -> list[Block]:
    text = (REPOSITORY / page).read_text()
    found = []
    for fence in FENCE.finditer(text):
        language, *words = fence[2].split() or [""]
        indent = len(fence[1])
        body = "".join(line[indent:] if line.strip() else line for line in fence[3].splitlines(keepends=True))
        found.append(Block(page, text.count("\n", 0, fence.start()) + 1, language, tuple(words), body))
    return found


def commands(page: str) -> list[Block]:
    return [block for block in blocks(page) if block.language == "sh"]


class Reader:
    """Somebody who follows a page from top to bottom, in one shell."""

    def __init__(self, folder: Path):
        self.folder, self.home = folder, folder / "home"
        self.work = self.home / "work"
        self.work.mkdir(parents=True)
        settings = folder / "azure"
        settings.mkdir()
        az = Path(os.environ["KEYLESS_INTEROP_AZ"])
        shutil.copy(az / "config" / "commandIndex.json", settings)
        # What a page supposes that its reader has.
        shutil.copy(REPOSITORY / "examples" / "python" / "chat.py", self.work / "app.py")
        shutil.copy(REPOSITORY / "examples" / "apply" / "team-a.yaml", self.work)
        # Never the file of this machine: the shell gets a view of its own.
        (folder / "hosts").write_text("".join(f"{address} {names}\n" for address, names in NAMES.items()))
        # Only the programs that a page names, so that no test hangs on what else is installed.
        programs = folder / "bin"
        programs.mkdir()
        for name, program in {"keyless": PARTS / "keyless", "az": az / "bin" / "az", "python": sys.executable}.items():
            launcher = programs / name
            launcher.write_text(f'#!/bin/sh\nexec "{program}" "$@"\n')
            launcher.chmod(0o755)
        self.env = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "AZURE_CONFIG_DIR": str(settings),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off",
            "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
            "KEYLESS_BIN": os.environ["KEYLESS_BIN"],
            "DOCUMENTS": str(folder),
            "LANG": "C.UTF-8",
        }

    def follow(self, page: str, before: str = "", then: str = "") -> str:
        """Runs the page, then what `then` adds. Returns what was printed; the first failure of a command is an assertion that names its line."""
        steps = []
        for block in commands(page):
            script = INSTEAD.get(block.not_run, "") if block.not_run else block.text
            steps.append(f"at='{page}:{block.line}'\n{script}")
        script = "\n".join([self.beginning(), before, *steps, "at='what the test adds'", then])
        file = self.folder / "session.sh"
        file.write_text(script)
        rooted = [] if os.geteuid() == 0 else ["--map-root-user"]
        # Whatever was started ends with the namespace.
        space = ["unshare", *rooted, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        space += [sys.executable, "-P", str(PARTS.parent / "support" / "loopback.py")]
        done = subprocess.run(
            [*space, "bash", str(file)],
            env=self.env,
            cwd=self.work,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_SECS,
        )
        logs = "".join(log.read_text(errors="replace")[-2000:] for log in self.folder.glob("up*.log"))
        assert done.returncode == 0, f"{done.stderr[-3000:]}\n--- printed\n{done.stdout[-3000:]}\n--- logged\n{logs}"
        return done.stdout

    def beginning(self) -> str:
        outside = f"'{sys.executable}' '{PARTS / 'outside.py'}' '{self.folder}'"
        return (
            "set -euo pipefail\n"
            "trap 'echo \"$at: $BASH_COMMAND\" >&2' ERR\n"
            "at='the preparation'\n"
            f"mount --bind '{self.folder}/hosts' /etc/hosts\n"
            f"{outside} >'{self.folder}/outside.log' 2>&1 &\n"
            f"while ! [ -e '{self.folder}/ready' ]; do kill -0 $! || {{ cat '{self.folder}/outside.log' >&2; false; }}; sleep 0.05; done\n"
        )
