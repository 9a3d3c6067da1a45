"""Every command of the documents works as it is written, in the order in which it is written."""

import re
import shlex
import shutil
import subprocess
import textwrap

import pytest

from support.documents import INSTEAD, NOT_RUN, Reader, blocks, commands, pages

LANGUAGES = {"sh", "text", "yaml", "toml", "python", "js", "json", "rust", "cedar", "sql", "mermaid"}
RUN = [page for page in pages() if any(not block.not_run for block in commands(page))]
# A page whose story begins in the middle: what its reader has done before.
BEFORE = {
    "docs/apply.md": "keyless up",
    "docs/az.md": "keyless up",
    "docs/clients.md": "keyless up",
    "docs/federation-outward.md": "keyless up",
    "examples/README.md": "keyless up",
}
ANSWER = "You said: What is the capital of France? Answer in one sentence."


def job(text: str, given: str, refused: str = "") -> str:
    """A script that does what a workflow says, each step in a shell of its own, and fails unless the last one is answered, or refused so.

    `given` is what the runner sets.
    """
    variables = re.search(r"^( *)(?:env|variables):\n((?:\1 +\S.*\n)+)", text, re.MULTILINE)[2]
    exports = re.sub(r"^ *(\w+): (.*)$", r"export \1=\2", variables, flags=re.MULTILINE)
    exports = re.sub(r"\$\{\{ vars\.(\w+) \}\}", r"$\1", exports)
    steps = re.findall(r"^( *)(?:run|script): \|\n((?:\1 +\S.*\n)+)", text, re.MULTILINE)
    *first, last = [shlex.quote(f"set -euo pipefail\n{given}\n{exports}\n{textwrap.dedent(body)}") for _, body in steps]
    wanted = f"said=$(bash -c {last} 2>&1) || true; case $said in *{refused}*) ;; *) echo \"$said\" >&2; false;; esac"
    if not refused:
        wanted = f"said=$(bash -c {last}); [ \"$said\" = {shlex.quote(ANSWER)} ]"
    return "\n".join([*(f"bash -c {step}" for step in first), wanted])


def jobs() -> str:
    """What the workflows of the page lead to, on the page's own system."""
    github, gitlab = (block.text for block in blocks("docs/federation.md") if block.language == "yaml")
    # What a person copies into the settings of the repository.
    variables = "read -r -d '' AZURE_CLIENT_ID AZURE_TENANT_ID < <(keyless az -- identity show -g demo -n my-repo-ci --query '[clientId, tenantId]' -o tsv; printf '\\0')"
    # The stand-in for GitHub has a root of its own.
    runner = '. "$DOCUMENTS/github-job"; export CURL_CA_BUNDLE="$DOCUMENTS/issuers.pem"'
    token = 'export GITLAB_TOKEN=$(cat "$DOCUMENTS/gitlab-token-{}")'
    return "\n".join(
        [
            variables,
            "export AZURE_CLIENT_ID AZURE_TENANT_ID",
            job(github, runner),
            job(gitlab, token.format("main")),
            job(gitlab, token.format("other"), refused="AADSTS700213"),
        ]
    )


def programs() -> str:
    """The Python of the page about clients, run as it stands."""
    python = [block.text for block in blocks("docs/clients.md") if block.language == "python"]
    return "\n".join(f'[ "$(keyless run --as demo-app -- python -c {shlex.quote(text)})" = "You said: Say hello." ]' for text in python)


def snippet() -> str:
    """The Python of the front page, which makes a client and asks nothing."""
    python = [block.text for block in blocks("README.md") if block.language == "python"]
    return "\n".join(f"keyless run --as demo-app -- python -c {shlex.quote(text)}" for text in python)


@pytest.fixture
def reader(tmp_path) -> Reader:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rnmp", "--fork", "true"], capture_output=True).returncode:
        pytest.skip("this machine gives no namespaces to whoever runs the tests: `unshare -rnmp --fork true`")
    return Reader(tmp_path)


@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_a_page_work_as_written(page, reader):
    then = {"README.md": snippet, "docs/federation.md": jobs, "docs/clients.md": programs}.get(page, str)
    reader.follow(page, before=BEFORE.get(page, ""), then=then())


def test_a_command_that_fails_fails_the_page(reader):
    with pytest.raises(AssertionError, match="the preparation: false"):
        reader.follow("README.md", before="false")


@pytest.mark.parametrize("page", pages())
def test_every_block_says_what_it_is(page):
    """A block without a language would be a way around the other tests."""
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{page}:{block.line}: name the block's language; sh for commands"


def test_each_block_that_is_not_run_gives_a_known_reason():
    given = {block.not_run for page in pages() for block in commands(page)} - {None}
    assert given == set(NOT_RUN)
    assert set(INSTEAD) <= set(NOT_RUN)
