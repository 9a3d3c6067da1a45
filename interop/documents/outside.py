"""What a reader of the documents has around a system: Ollama on this machine, GitHub and GitLab. `outside.py FOLDER` writes there what they give to a job.

Runs in a network namespace of its own, so that it may take their names and ports.
"""

import shlex
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.issuer import Issuer  # noqa: E402
from support.upstream import Upstream  # noqa: E402

GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.com"
OLLAMA_PORT = 11434
AN_HOUR_SECS = 3600


def main(folder: Path) -> None:
    model_server = Upstream(port=OLLAMA_PORT)
    github = Issuer(made(folder / "github"), host=GITHUB)
    gitlab = Issuer(made(folder / "gitlab"), host=GITLAB, address="127.0.0.2")
    (folder / "issuers.pem").write_text(github.ca_file.read_text() + gitlab.ca_file.read_text())

    github_job = github.job_env("repo:my-org/my-repo:ref:refs/heads/main")
    (folder / "github-job").write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in github_job.items()))
    later = int(time.time()) + AN_HOUR_SECS
    for branch in ("main", "other"):
        token = gitlab.mint(f"project_path:my-group/my-project:ref_type:branch:ref:{branch}", exp=later)
        (folder / f"gitlab-token-{branch}").write_text(token)
    (folder / "ready").touch()
    # Until the namespace ends.
    threading.Event().wait()
    model_server.close()


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


main(Path(sys.argv[1]))
