//! The longer words of `--help`: what a command does, an example, its exit codes.

macro_rules! more {
    ($($text:literal)*) => {
        concat!($($text, "\n",)*)
    };
}

pub(super) const KEYLESS: &str = "\
Gives every program that calls an AI model an identity in place of an API key: on Azure, on a laptop, in CI, on your own hardware. \
Unmodified Azure SDKs work with it.

New here? `keyless demo` shows everything in about a minute.";

pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage; `run` passes its program's code through.
`keyless COMMAND --help` has examples.";

pub(super) const DEMO: &str = "\
Starts a system in a throw-away folder on free ports, with a real model where one can be had; runs an unmodified Python program without any \
key; shows it refused without a role, answered with it, and refused again the moment the role is gone; runs the leak drill; shows the audit. \
Then it stays up for you to try things, until Ctrl-C.";

pub(super) const DEMO_MORE: &str = more!(
    "Examples:"
    "  keyless demo"
    "  keyless demo --once > show.txt"
    ""
    "What it downloads (Python packages, from PyPI) is kept in ~/.cache/keyless for the next time."
    "Exit codes: 0 the show ended well, 1 something in it failed."
);

pub(super) const UP: &str = "\
Runs the whole system in this process, on this machine only, on a database in the data folder. A new folder gets a tenant, a subscription, the \
resource group `demo`, the account `demo-ai` with deployments `chat` and `embed`, the identity `demo-app` that may call them, and the identity \
`operator` that owns the subscription. Prints what to try next; logs to stderr; ends in order on Ctrl-C or SIGTERM.";

pub(super) const UP_MORE: &str = more!(
    "Examples:"
    "  keyless up"
    "  keyless up --upstream http://127.0.0.1:11434"
    "  keyless up --trust-tenant 00000000-0000-0000-0000-0000000000f1"
    "  keyless up --model smollm2 --data ./keyless --port 0 --ready-file ready.json"
    "  keyless up --invite"
    "  keyless up --sign-in-with https://login.corp.example \\"
    "    --sign-in-client-id keyless --sign-in-client-secret-file secret.txt"
    ""
    "A provider makes nobody a user: `keyless user add NAME --no-password`, then `keyless user link`."
    ""
    "Exit codes: 0 ended when asked to, 1 could not start, 2 wrong usage."
);

pub(super) const SERVE: &str = "\
Runs the whole system as a configuration says: `keyless up` with other defaults. A new data folder gets a tenant, a subscription, a resource \
group and the identity `operator` that owns the subscription, and nothing to try. Listens on this machine only.";

pub(super) const SERVE_MORE: &str = more!(
    "Examples:"
    "  keyless serve --config keyless.toml"
    "  KEYLESS_PROCESS_DRAIN=1m keyless serve --config keyless.toml --port 9443"
    ""
    "A setting comes from its default, the file, the environment (KEYLESS_SECTION_SETTING) or a flag;"
    "each overrides the one before. `keyless config show` says which. docs/configuration.md lists all."
    ""
    "Exit codes: 0 ended when asked to, 1 could not start, 2 wrong usage."
);

pub(super) const CONFIG_MORE: &str = more!(
    "Examples:"
    "  keyless config check --config keyless.toml"
    "  keyless config show --config keyless.toml"
    "  keyless config schema > keyless.schema.json"
    ""
    "Exit codes: 0 done, 1 or 2 something is wrong with the configuration."
);

pub(super) const CONFIG_CHECK_MORE: &str = more!(
    "Examples:"
    "  keyless config check --config keyless.toml"
    ""
    "Exit codes: 0 nothing is wrong, 1 a file that it names cannot be used, 2 what it says is wrong."
);

pub(super) const CONFIG_SHOW_MORE: &str = more!(
    "Examples:"
    "  keyless config show --config keyless.toml"
    "  KEYLESS_LISTEN_HTTPS=9443 keyless config show --json | jq '.[] | select(.from != \"default\")'"
    ""
    "Exit codes: 0 done, 1 a file that it names cannot be used, 2 what it says is wrong."
);

pub(super) const CONFIG_SCHEMA_MORE: &str = more!(
    "Examples:"
    "  keyless config schema > keyless.schema.json"
    "  keyless config schema --markdown > docs/configuration.md"
    ""
    "Exit codes: 0 done, 1 failed, 2 wrong usage."
);

pub(super) const STATUS: &str = "\
Shows where a running system answers, what it holds (accounts, deployments, identities), where calls of models go, and to whom identities are \
lent at the moment.";

pub(super) const STATUS_MORE: &str = more!(
    "Examples:"
    "  keyless status"
    "  keyless status --json | jq -r .ca_file"
    ""
    "Exit codes: 0 it runs, 1 it does not run or is not healthy, 2 wrong usage."
);

pub(super) const RUN: &str = "\
Lends an identity to a program for as long as it runs. The program finds a managed identity's endpoint, as on Azure, so unmodified SDKs work \
(DefaultAzureCredential, ManagedIdentityCredential). API keys and other credentials are taken out of its environment, and that is said. The \
secret that entitles it to tokens is made for this run and dies with it.";

pub(super) const RUN_MORE: &str = more!(
    "Examples:"
    "  keyless run -- python app.py"
    "  keyless run --as demo-app --account demo-ai -- node app.js"
    "  keyless run -- env            # everything the program is given"
    ""
    "Signals and standard streams pass through."
    "Exit codes: the program's own; 128 + n when signal n ended it, 127 no such program, 126 it cannot be started, 1 the identity could not be lent, 2 wrong usage."
);

pub(super) const ENV: &str = "\
Lends an identity to a shell for a stated time, and prints the variables that make SDKs find it. `keyless status` lists such loans; `--revoke` \
ends one at once.";

pub(super) const ENV_MORE: &str = more!(
    "Examples:"
    "  eval \"$(keyless env --as demo-app)\""
    "  keyless env --as demo-app --shell fish | source"
    "  keyless env --as demo-app --shell powershell | Out-String | Invoke-Expression"
    "  keyless env --revoke Zm9vYmFy"
    ""
    "Exit codes: 0 done, 1 the identity could not be lent, 2 wrong usage."
);

pub(super) const TOKEN: &str = "\
Gets an access token. With `--as`, over the local socket, as the owner of the data folder. Without, the way a program would: environment, \
workload identity, managed identity, the first that is configured. On a terminal it shows what the token says and keeps the token to itself; \
elsewhere (a pipe, a file, a variable) it prints the token and nothing else.";

pub(super) const TOKEN_MORE: &str = more!(
    "Examples:"
    "  TOKEN=$(keyless token --as operator \\"
    "    --scope https://management.azure.com/.default)"
    "  keyless token --as demo-app --decode"
    "  keyless run -- keyless token --credential managed-identity"
    "  keyless token --as demo-app --audience sts.amazonaws.com > web-identity-token"
    ""
    "With --as, --audience takes any audience outside; inside `keyless run` those of `keyless up --federation-audience`. docs/federation-outward.md says who trusts such tokens, and how."
    ""
    "Exit codes: 0 a token was issued, 1 it was refused or no credential is configured, 2 wrong usage."
);

pub(super) const WHOAMI: &str = "\
Shows an identity, its principal, its role assignments, and what the system answers when asked what they allow at each account: deny \
assignments count. What a role allows only under a condition that looks at the request counts as no, and the role is marked. Inside `keyless run` or a shell prepared by \
`keyless env` it shows the identity found there.";

pub(super) const WHOAMI_MORE: &str = more!(
    "Examples:"
    "  keyless whoami --as demo-app"
    "  keyless run -- keyless whoami"
    "  keyless whoami --as ada@keyless.localhost"
    "  keyless whoami --as operator --json"
    ""
    "Exit codes: 0 done, 1 nobody is called so or no system runs, 2 wrong usage."
);

pub(super) const AUDIT: &str = "\
Reads the audit log of a data folder: every call of a model, token, change and refusal, with the object id that caused it. Each line is bound \
to the one before by a hash; `verify` finds lines that were changed, removed, inserted or cut off. Works whether the system runs or not.";

pub(super) const AUDIT_MORE: &str = more!(
    "Examples:"
    "  keyless audit tail -f"
    "  keyless audit query --principal demo-app --outcome denied --since 1h"
    "  keyless audit query --category data --json | jq .data.promptTokens"
    "  keyless audit query --scope demo-ai/chat --since 1d"
    "  keyless audit verify"
    "  keyless audit export --cursor shipped.cursor >> shipped.jsonl"
    ""
    "Exit codes: 0 done, 1 the log is broken or cannot be read, 2 wrong usage."
);

pub(super) const EXPORT: &str = "\
Writes events as JSON lines, oldest first, for a collector. By default in Azure Monitor's own shapes, as a diagnostic setting streams them: \
category RequestResponse for calls of models, Audit for handed-out keys, Administrative (the activity log) for changes; tokens and directory \
objects have no such shape and are counted on stderr. With `--format keyless` every event, as it stands in the log. The hash chain is followed \
on the way: a log that was damaged ends the export with exit code 1 before the first line that cannot be trusted. Works whether the system \
runs or not.";

pub(super) const EXPORT_MORE: &str = more!(
    "Examples:"
    "  keyless audit export --since 1d > yesterday.jsonl"
    "  keyless audit export --cursor shipped.cursor | ship   # each event once"
    "  keyless audit export --follow --cursor shipped.cursor | ship"
    "  keyless audit export --format keyless --account demo-ai"
    ""
    "The cursor moves on after the lines were written, so a run that is killed repeats some and loses none."
    "Exit codes: 0 done, 1 the log is broken or cannot be read, 2 wrong usage."
);

pub(super) const DRILL: &str = "\
Makes a throw-away account and a throw-away identity that may call it. Lets the account's API key leak, and shows what a thief can do with it; \
then lets the identity's client id leak, and shows that it opens nothing. Ends by turning the key off and deleting both. Every line is a real \
call, made now.";

pub(super) const DRILL_MORE: &str = more!(
    "Examples:"
    "  keyless drill"
    "  keyless drill --json"
    ""
    "Exit codes: 0 everything was as it must be, 1 something got through that must not, or a step failed, 2 wrong usage."
);

pub(super) const HOST: &str = "\
Attaches identities to this machine, as one attaches them to a virtual machine on Azure. A program of yours that asks the machine's metadata \
endpoint (AZURE_POD_IDENTITY_AUTHORITY_HOST names it) gets their tokens, without `keyless run`.";

pub(super) const HOST_MORE: &str = more!(
    "Examples:"
    "  keyless host attach demo-app"
    "  keyless host show"
    "  keyless host detach demo-app"
    ""
    "Exit codes: 0 done, 1 there is no such identity or no system runs, 2 wrong usage."
);

pub(super) const AZ: &str = "\
Prints the commands that make this system a cloud of the real `az`, and the variables that a shell needs to use it; with `--run`, runs the \
commands and prints the variables only. `--undo` is the way back. What az has of other clouds is not touched. After `--`, gives one az command as an identity of \
this system, in a settings folder of its own: your own az needs no registration for that, and does not change.";

pub(super) const AZ_MORE: &str = more!(
    "Examples:"
    "  keyless az -- group list            # one command, without any set-up"
    "  keyless az --as demo-app -- account show"
    "  eval \"$(keyless az)\" && az login    # daily use: your own az, as yourself"
    "  keyless az --shell fish | source"
    "  keyless az --undo --run"
    ""
    "The variables belong to the shell: the evaluated line is safe to repeat in every new one."
    "Exit codes: 0 done, 1 it cannot be done, 2 wrong usage; after `--`, those of az."
);

pub(super) const APPLY: &str = "\
Makes the system as YAML or TOML files declare it: resource groups, identities with federated credentials, accounts with deployments, roles, role \
assignments. Shows what would change, property by property, asks, and makes the changes through the control plane, under the roles of \
the identity that makes them. What files do not mention is left alone; nothing is deleted without --prune. docs/apply.md describes the files.";

pub(super) const APPLY_MORE: &str = more!(
    "Examples:"
    "  keyless apply team-a.yaml"
    "  keyless apply --plan team-a.yaml"
    "  keyless apply --yes --prune team-a.yaml grants.toml"
    "  generate | keyless apply --yes -        # YAML from standard input"
    ""
    "Exit codes: 0 done, nothing to do, or a plan shown; 1 refused, or stopped half-way; 2 wrong usage, or files that cannot be applied: nothing was changed."
);

pub(super) const CAN_I_MORE: &str = more!(
    "Examples:"
    "  keyless can-i --scope demo-ai/embed \\"
    "    Microsoft.CognitiveServices/accounts/OpenAI/deployments/embeddings/action"
    "  keyless can-i Microsoft.Authorization/roleAssignments/write \\"
    "    --scope group/demo --as operator"
    ""
    "Exit codes: 0 yes, 1 no, 2 there is no such action, place or principal, or wrong usage."
);

pub(super) const EXPLAIN_MORE: &str = more!(
    "Examples:"
    "  keyless explain --last"
    "  keyless explain --last --as demo-app"
    "  keyless explain 07e16b27             # as `keyless audit tail` shows it"
    "  keyless explain job-7 --json         # the client's own id"
    ""
    "Exit codes: 0 done, 1 no such request, or several, in the audit log, 2 wrong usage."
);

pub(super) const IDENTITY_MORE: &str = more!(
    "Examples:"
    "  keyless identity create summariser"
    "  keyless role create --as summariser \\"
    "    --role 'Cognitive Services OpenAI User' --scope demo-ai/chat"
    "  keyless run --as summariser -- python app.py"
    "  keyless identity list --json | jq -r '.[].name'"
    "  keyless identity remove summariser"
    ""
    "Exit codes: 0 done, 1 refused, no such identity or no system runs, 2 wrong usage."
);

pub(super) const DEPLOYMENT_MORE: &str = more!(
    "Examples:"
    "  keyless deployment create demo-ai/gpt-4o --model llama3.2:3b --capacity 10"
    "  keyless deployment list"
    "  keyless deployment show demo-ai/chat --json"
    "  keyless deployment remove demo-ai/gpt-4o"
    ""
    "Exit codes: 0 done, 1 refused, no such deployment or no system runs, 2 wrong usage."
);

pub(super) const ROLE_MORE: &str = more!(
    "Examples:"
    "  keyless role create --as summariser \\"
    "    --role 'Cognitive Services OpenAI User' --scope demo-ai/chat"
    "  keyless role create --as ada@keyless.localhost --role Reader \\"
    "    --scope group/demo"
    "  keyless role list --scope demo-ai"
    "  keyless role remove --as summariser \\"
    "    --role 'Cognitive Services OpenAI User' --scope demo-ai/chat"
    "  keyless role remove 3f2a9c1e"
    ""
    "Exit codes: 0 done, 1 refused, nothing of that name or no system runs, 2 wrong usage."
);

pub(super) const KEYS_MORE: &str = more!(
    "Examples:"
    "  keyless keys list"
    "  keyless keys rotate"
    "  keyless keys revoke tB8Qz-_0"
    ""
    "Exit codes: 0 done, 1 there is no such key or no system runs, 2 wrong usage."
);

pub(super) const USER_MORE: &str = more!(
    "Examples:"
    "  keyless user invite ada@keyless.localhost --owner"
    "  keyless user invitations"
    "  keyless user withdraw ada@keyless.localhost"
    "  keyless user add ada@keyless.localhost"
    "  keyless user add bea@keyless.localhost < password.txt"
    "  keyless user list"
    "  keyless user reset-password ada@keyless.localhost"
    "  keyless user remove bea@keyless.localhost"
    "  keyless user add grace@keyless.localhost --no-password"
    "  keyless user link grace@keyless.localhost 248289761001"
    "  keyless user sign-out ada@keyless.localhost"
    ""
    "Exit codes: 0 done, 1 refused or no system runs, 2 wrong usage."
);

pub(super) const GUEST: &str = "\
A guest is a service principal or person of an Entra tenant that `keyless up --trust-tenant` names. It calls with the token that it gets from \
Entra; here it has the roles that are assigned to its object id, and none until then. docs/entra-tenants.md tells the whole story.";

pub(super) const GUEST_MORE: &str = more!(
    "Examples:"
    "  keyless guest add 00000000-0000-0000-0000-0000000000a1 --name ci \\"
    "    --tenant 00000000-0000-0000-0000-0000000000f1"
    "  keyless role create --as ci --scope demo-ai \\"
    "    --role 'Cognitive Services OpenAI User'"
    "  keyless guest list"
    "  keyless guest remove 00000000-0000-0000-0000-0000000000a1"
    ""
    "Exit codes: 0 done, 1 refused or no system runs, 2 wrong usage."
);

pub(super) const MAN: &str = "Prints the manual page of `keyless`, or writes one for every command into a folder.";

pub(super) const MAN_MORE: &str = more!(
    "Examples:"
    "  keyless man | man -l -"
    "  keyless man ~/.local/share/man/man1"
    ""
    "Exit codes: 0 done, 1 the folder cannot be written, 2 wrong usage."
);

pub(super) const COMPLETIONS: &str = "Prints a script that teaches a shell to complete this command's words.";

pub(super) const COMPLETIONS_MORE: &str = more!(
    "Examples:"
    "  keyless completions bash > ~/.local/share/bash-completion/completions/keyless"
    "  keyless completions zsh > \"${fpath[1]}/_keyless\""
    "  keyless completions fish > ~/.config/fish/completions/keyless.fish"
    ""
    "Exit codes: 0 done, 2 wrong usage."
);
