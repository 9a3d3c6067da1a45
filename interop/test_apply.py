"""`keyless apply`: files in, the same resources out that the real `az` sees, and the same rules as for everybody else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.clients import ANSWER
from support.operator import fresh

ASK = Path(__file__).parent / "support" / "programs" / "ask.py"
NO_ROLE = "refused: 401 PermissionDenied"

RESOURCES = """
name: {set}
resourceGroups:
  - name: {set}
    tags: {{ team: a }}
    identities:
      - name: app-{set}
        federatedCredentials:
          - name: github
            issuer: https://token.actions.githubusercontent.com
            subject: repo:{set}/app:ref:refs/heads/main
    accounts:
      - name: ai-{set}
        disableLocalAuth: true
        networkAcls: {{ defaultAction: Deny, ipRules: [127.0.0.0/8, "::1"] }}
        deployments:
          - name: chat
            model: {{ name: gpt-4o, version: "2024-11-20" }}
            capacity: 20
roleDefinitions:
  - roleName: Chat only {set}
    description: Chat completions, and no other operation
    assignableScopes: [resourceGroups/{set}]
    dataActions: [Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action]
"""
GRANT = """
roleAssignments:
  - role: Chat only {set}
    identity: app-{set}
    scope: ai-{set}/chat
"""
DENY = """
denyAssignments:
  - denyAssignmentName: Frozen {set}
    description: while the bill is discussed
    scope: ai-{set}
    actions: [Microsoft.CognitiveServices/accounts/write]
    dataActions: ["*"]
    principals: [everyone]
    excludePrincipals:
      - identity: demo-app
"""


class Files:
    """One set and the file that declares it."""

    def __init__(self, system, folder: Path):
        self.system, self.set, self.path = system, fresh("set"), folder / "set.yaml"

    def write(self, *parts: str) -> "Files":
        self.path.write_text("".join(parts).replace("{{", "{").replace("}}", "}").replace("{set}", self.set))
        return self

    def change(self, old: str, new: str) -> "Files":
        text = self.path.read_text()
        assert old in text
        self.path.write_text(text.replace(old, new))
        return self

    def apply(self, *options: str, check: bool = True) -> subprocess.CompletedProcess:
        command = ["apply", *self.system.locate(), *options, str(self.path)]
        return self.system.command(*command, check=check, stdin=subprocess.DEVNULL)

    def plan(self, *options: str) -> dict[str, list[str]]:
        """The names of the resources that would change, by what would happen to them."""
        found: dict[str, list[str]] = {}
        for change in json.loads(self.apply("--plan", "--json", *options).stdout)["changes"]:
            found.setdefault(change["action"], []).append(f"{change['kind']} {change['name'].replace(self.set, 'X')}")
        return found

    def asks(self) -> str:
        """What a program says that is run as the set's identity and calls the set's account."""
        program = (sys.executable, str(ASK), "chat")
        return self.system.run(f"app-{self.set}", *program, account=f"ai-{self.set}").stdout.strip()


@pytest.fixture
def files(system, tmp_path) -> Files:
    return Files(system, tmp_path)


ALL = [
    "resourceGroup X",
    "identity app-X",
    "federatedCredential app-X/github",
    "account ai-X",
    "deployment ai-X/chat",
    "roleDefinition Chat only X",
]
ASSIGNMENT = "roleAssignment Chat only X for app-X at ai-X/chat"


def test_a_file_is_what_decides_whether_a_model_answers(files):
    files.write(RESOURCES)
    assert files.plan() == {"create": ALL}
    files.apply("--yes")
    assert files.asks() == NO_ROLE

    files.write(RESOURCES, GRANT)
    assert files.plan() == {"unchanged": ALL, "create": [ASSIGNMENT]}
    files.apply("--yes")
    assert files.asks() == ANSWER

    again = files.apply()
    assert f"{files.set}: nothing to do (7 unchanged)" in again.stdout
    assert again.stderr == ""

    files.write(RESOURCES)
    kept = files.apply()
    assert "left as they are" in kept.stdout and "--prune" in kept.stdout
    assert files.asks() == ANSWER, "nothing is deleted unless asked"
    assert files.plan("--prune") == {"unchanged": ALL, "delete": [ASSIGNMENT]}
    files.apply("--yes", "--prune")
    assert files.asks() == NO_ROLE


def test_az_sees_what_was_applied(files, admin, system):
    files.write(RESOURCES, GRANT).apply("--yes")
    where = ("-g", files.set)
    assert admin("group show -n", files.set)["tags"] == {"team": "a"}
    identity = admin("identity show", "-n", f"app-{files.set}", *where)
    trust = admin("identity federated-credential show -n github --identity-name", f"app-{files.set}", *where)
    assert (trust["subject"], trust["audiences"]) == (
        f"repo:{files.set}/app:ref:refs/heads/main",
        ["api://AzureADTokenExchange"],
    )
    account = admin("cognitiveservices account show", "-n", f"ai-{files.set}", *where)
    properties = account["properties"]
    assert properties["disableLocalAuth"] is True
    assert [rule["value"] for rule in properties["networkAcls"]["ipRules"]] == ["127.0.0.0/8", "::1"]
    deployment = ("--deployment-name", "chat", "-n", f"ai-{files.set}")
    made = admin("cognitiveservices account deployment show", *deployment, *where)
    assert (made["sku"]["capacity"], made["properties"]["model"]["version"]) == (20, "2024-11-20")
    (grant,) = admin("role assignment list --scope", f"{account['id']}/deployments/chat")
    assert (grant["principalId"], grant["roleDefinitionName"]) == (identity["principalId"], f"Chat only {files.set}")

    # And what az changes, the next plan sees.
    admin("resource update --ids", account["id"], "--set", "properties.disableLocalAuth=false")
    assert files.plan()["update"] == ["account ai-X"]
    assert "disableLocalAuth: false -> true" in files.apply("--yes").stdout
    assert admin("resource show --ids", account["id"])["properties"]["disableLocalAuth"] is True
    # az made it from the operator's identity, and so did apply: both are in the same record.
    changed = [event for event in system.audit("--category", "control") if event.get("target") == account["id"]]
    assert {event["actor"]["objectId"] for event in changed} == {system.identity("operator")["principal_id"]}


def test_a_change_of_the_file_is_a_change_of_the_system_and_nothing_else(files, admin):
    files.write(RESOURCES, GRANT).apply("--yes")
    account = ("-n", f"ai-{files.set}", "-g", files.set)
    admin("cognitiveservices account network-rule add --ip-address 10.1.1.1", *account)
    files.change("capacity: 20", "capacity: 30").change("{ team: a }", "{ team: a, tier: gold }")
    files.change('[127.0.0.0/8, "::1"]', '[127.0.0.0/8, "::1", 10.1.1.1]')
    assert files.plan()["update"] == ["resourceGroup X", "deployment ai-X/chat"]
    files.apply("--yes")
    assert admin("group show -n", files.set)["tags"] == {"team": "a", "tier": "gold"}
    deployment = admin("cognitiveservices account deployment show --deployment-name chat", *account)
    assert (deployment["sku"]["capacity"], deployment["properties"]["model"]["name"]) == (30, "gpt-4o")
    assert files.plan().keys() == {"unchanged"}


def test_a_renamed_federated_credential_takes_the_place_of_the_old_one(files, admin):
    files.write(RESOURCES).apply("--yes")
    files.change("name: github", "name: actions").apply("--yes", "--prune")
    rows = admin("identity federated-credential list --identity-name", f"app-{files.set}", "-g", files.set)
    assert [row["name"] for row in rows] == ["actions"]


def test_pruning_everything_leaves_what_others_made(files, admin):
    files.write(RESOURCES, GRANT).apply("--yes")
    admin("identity create -n by-hand -g", files.set)
    files.write("name: {set}\n")
    refused = files.apply("--yes", "--prune", check=False)
    assert refused.returncode == 1
    assert "by-hand, which this set did not create" in refused.stderr and "nothing was changed" in refused.stderr
    assert admin("group exists -n", files.set) is True

    admin("identity delete -n by-hand -g", files.set)
    done = files.apply("--yes", "--prune")
    assert "- delete  resource group" in done.stdout
    assert admin("group exists -n", files.set) is False
    assert "nothing to do" in files.apply("--prune").stdout

    # A deleted account keeps its name, as on Azure; the file is refused with the way out, before anything is made.
    files.write(RESOURCES)
    refused = files.apply("--yes", check=False)
    assert refused.returncode == 2
    assert "can be recovered" in refused.stderr and "az -- cognitiveservices account recover" in refused.stderr
    assert admin("group exists -n", files.set) is False


def test_what_a_file_denies_nobody_does_until_it_is_pruned(files, admin, system, operator):
    files.write(RESOURCES, GRANT).apply("--yes")
    assert files.asks() == ANSWER
    files.write(RESOURCES, GRANT, DENY)
    denied = "denyAssignment Frozen X at ai-X"
    assert files.plan()["create"] == [denied]
    files.apply("--yes")
    assert files.plan().keys() == {"unchanged"}

    # The gateway and ARM refuse, whatever the roles.
    assert files.asks() == NO_ROLE
    account = admin("cognitiveservices account show", "-n", f"ai-{files.set}", "-g", files.set)["id"]
    tag = ("resource tag --tags a=b --ids", account)
    assert "AuthorizationFailed" in admin.refused(*tag)
    (row,) = operator.authorization.deny_assignments.list_for_scope(account)
    assert (row.deny_assignment_name, row.scope) == (f"Frozen {files.set}", account)
    assert row.principals[0].type == "SystemDefined"
    assert row.exclude_principals[0].id == system.identity("demo-app")["principal_id"]
    url = f"{account}/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01"
    (shown,) = admin("rest --url", url)["value"]
    assert shown["id"] == row.id
    # Nobody lifts it over ARM; the owner's files do.
    admin.refused("rest --method delete --url", f"{row.id}?api-version=2022-04-01")

    files.change("accounts/write]", "accounts/delete]")
    assert files.plan()["update"] == [denied]
    assert "accounts/write -> Microsoft.CognitiveServices/accounts/delete" in files.apply("--yes").stdout
    assert admin(*tag)["tags"] == {"a": "b"}
    assert files.asks() == NO_ROLE

    files.write(RESOURCES, GRANT)
    assert files.plan("--prune")["delete"] == [denied]
    files.apply("--yes", "--prune")
    assert files.asks() == ANSWER
    made = [event for event in system.audit("--category", "control") if "denyAssignments" in event["operation"]]
    assert [event["operation"].rsplit("/", 1)[-1] for event in made] == ["write", "write", "delete"]


def test_what_was_there_before_is_changed_but_never_pruned(files, admin):
    admin("group create -l local -n", files.set)
    files.write("name: {set}\nresourceGroups:\n  - name: {set}\n    tags: { a: b }\n").apply("--yes")
    assert admin("group show -n", files.set)["tags"] == {"a": "b"}
    files.write("name: {set}\n")
    assert "nothing to do" in files.apply("--yes", "--prune").stdout
    assert admin("group exists -n", files.set) is True


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("disableLocalAuth: true", "disableLocalAuht: true", "set.yaml:14: unknown field `disableLocalAuht`"),
        ("defaultAction: Deny, ", "", "needs `defaultAction`"),
        ("identity: app-", "identity: nobody-", "there is no identity `nobody-"),
        ("scope: ai-", "scope: al-", "did you mean `ai-"),
        ("  - role: Chat", "  - role: Chatt", "did you mean `Chat only"),
        ("name: github", "name: gh", "3 to 120 letters"),
        ("[Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action]", "[chat]", "not an action"),
        ("capacity: 20", "capacity: 20\n            apiKey: sk-secret", "unknown field `apiKey`"),
    ],
)
def test_a_file_with_a_mistake_changes_nothing(files, system, old, new, said):
    files.write(RESOURCES, GRANT).change(old, new)
    before = system.status()["revision"]
    done = files.apply("--yes", check=False)
    assert done.returncode == 2, done.stdout
    assert said in done.stderr and "nothing was changed" in done.stderr
    assert "sk-secret" not in done.stdout + done.stderr
    assert system.status()["revision"] == before


def test_people_groups_and_applications_get_roles_by_their_names(files, system, admin, directory):
    user, group = directory.create_user(), fresh("group")
    admin("ad group create --mail-nickname", group, "--display-name", group)
    application = admin.create_application(fresh("ci"))
    upn = admin("ad user show --id", user.principal_id)["userPrincipalName"]
    grants = "".join(
        f"  - {{ role: Reader, {who}, scope: demo-ai }}\n"
        for who in (f"user: {upn}", f"group: {group}", f"application: {application.name}")
    )
    files.write("name: {set}\nroleAssignments:\n", grants).apply("--yes")
    assert list(files.plan()) == ["unchanged"]
    rows = admin("role assignment list --scope", system.account("demo-ai")["id"])
    kinds = {row["principalType"] for row in rows if row["roleDefinitionName"] == "Reader"}
    assert kinds == {"User", "Group", "ServicePrincipal"}
    files.write("name: {set}\n").apply("--yes", "--prune")


def test_a_scope_that_does_not_exist_is_refused_before_anything_is_made(files, system):
    files.write(RESOURCES, GRANT.replace("scope: ai-{set}/chat", "scope: demo-ai/nothing"))
    before = system.status()["revision"]
    refused = files.apply("--yes", check=False)
    assert refused.returncode == 2 and "demo-ai/deployments/nothing does not exist" in refused.stderr
    assert system.status()["revision"] == before


def test_files_that_cannot_be_read_are_wrong_usage_u16(files, system, tmp_path):
    before = system.status()["revision"]
    binary, large = tmp_path / "binary.yaml", tmp_path / "large.yaml"
    binary.write_bytes(b"name: \xff\xfe\x00")
    large.write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    for path in (tmp_path / "none.yaml", tmp_path, binary, large):
        for options in ((), ("--json",)):
            done = system.command("apply", *system.locate(), "--yes", *options, str(path), check=False)
            assert (done.returncode, done.stdout) == (2, ""), (path, done)
            assert path.name in done.stderr, (path, done)
    assert system.status()["revision"] == before


def test_problems_of_form_and_of_names_are_told_together_u16(files, system):
    files.write(
        "name: {set}\nresourceGroups:\n  - { name: {set}, identities: [{ name: x }] }\n",
        "roleAssignments:\n  - { role: No such role, identity: demo-app, scope: demo-ai }\n"
        "  - { role: Reader, identity: nobody-here, scope: demo-ai }\n  - { rolle: Reader, identity: demo-app, scope: demo-ai }\n",
    )
    done = files.apply("--yes", check=False)
    assert done.returncode == 2
    for part in ("'x' is no valid name", "No such role", "nobody-here", "rolle"):
        assert part in done.stderr, (part, done.stderr)
    as_json = files.apply("--yes", "--json", check=False)
    problems = json.loads(as_json.stdout)["problems"]
    assert as_json.returncode == 2 and len(problems) >= 4
    closing = json.loads(as_json.stderr)
    assert closing["error"] == f"{len(problems)} problems; nothing was changed" and closing["next"]


def test_standard_input_is_a_file_and_each_step_is_told_once_u16(files, system):
    text = "name: {set}\nresourceGroups:\n  - { name: {set}, identities: [{ name: app-{set} }] }\n".replace("{set}", files.set)
    done = system.command("apply", *system.locate(), "--yes", "-", input=text)
    steps = [line for line in done.stderr.splitlines() if f"app-{files.set}" in line]
    assert len(steps) == 1 and steps[0].lstrip().startswith("✓ create"), done.stderr
    assert "nothing to do" in system.command("apply", *system.locate(), "-", input=text).stdout
    broken = system.command("apply", *system.locate(), "--yes", "-", input="name: [", check=False)
    assert broken.returncode == 2 and "stdin.yaml" in broken.stderr


def test_nobody_to_ask_is_no_consent(files, system):
    before = system.status()["revision"]
    done = files.write(RESOURCES).apply(check=False)
    assert (done.returncode, system.status()["revision"]) == (2, before)
    assert "--yes" in done.stderr and f"{files.set}: 6 to create" in done.stdout


def test_a_failure_half_way_says_what_is_done_and_the_next_run_goes_on(files, system, tmp_path):
    deployer = Files(system, tmp_path / "deployer")
    deployer.path.parent.mkdir()
    deployer.write(
        "name: {set}\nresourceGroups:\n  - { name: {set}, identities: [{ name: app-{set} }] }\n"
        "roleAssignments:\n  - { role: Contributor, identity: app-{set}, scope: subscription }\n"
    ).apply("--yes")

    # A contributor may make resources, and neither roles nor grants.
    files.write(RESOURCES, GRANT)
    stopped = files.apply("--yes", "--json", "--as", f"app-{deployer.set}", check=False)
    assert stopped.returncode == 1
    assert "AuthorizationFailed" in stopped.stderr and "5 done, 1 failed, 1 not begun" in stopped.stderr
    assert "run the same command again" in stopped.stderr
    states = {change["name"]: change["state"] for change in json.loads(stopped.stdout)["changes"]}
    assert states[f"ai-{files.set}/chat"] == "done"
    assert states[f"Chat only {files.set}"] == "failed"

    assert files.plan() == {"unchanged": ALL[:-1], "create": [ALL[-1], ASSIGNMENT]}
    files.apply("--yes")
    assert files.asks() == ANSWER


def test_the_examples_are_applied_as_they_stand(system, examples):
    folder = examples / "apply"
    first, second = str(folder / "team-a.yaml"), str(folder / "team-b.toml")
    for file in (first, second):
        system.command("apply", *system.locate(), "--yes", file)
        assert "nothing to do" in system.command("apply", *system.locate(), file).stdout
    program = (sys.executable, str(ASK), "chat")
    assert system.run("summariser", *program, account="team-a-ai").stdout.strip() == ANSWER
    assert system.run("translator", *program, account="team-a-ai").stdout.strip() == ANSWER
    assert system.run("team-a-ci", *program, account="team-a-ai").stdout.strip() == ANSWER
    embed = system.run("team-a-ci", sys.executable, str(ASK), "embed", account="team-a-ai").stdout.strip()
    assert embed.startswith("refused: 401"), "the role is at the other deployment"
