"""Trust in tokens of others: flexible federated credentials, made with the official tools and used by the official credentials."""

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientAssertionCredential

from support.credentials import answers, going_to
from support.issuer import EXCHANGE, Issuer
from support.keyless import AI_SCOPE

BRANCHES = "claims['sub'] matches 'repo:octo-org/octo-repo:ref:refs/heads/*'"
REUSED = f"{BRANCHES} and claims['job_workflow_ref'] matches 'octo-org/ci/.github/workflows/deploy.yml@*'"
WORKFLOW = {"job_workflow_ref": "octo-org/ci/.github/workflows/deploy.yml@refs/heads/main"}


@pytest.fixture(scope="module")
def identity(operator, demo):
    """A managed identity that may call the demo account's models."""
    return operator.create_caller(demo["id"])


@pytest.fixture(scope="module")
def flexible(admin, identity, issuer) -> dict:
    """What az says it made."""
    return admin(
        "identity federated-credential create --name branches -g demo --cme-version 1",
        *("--identity-name", identity.name, "--issuer", issuer.url, "--cme-value", REUSED),
    )


def exchange(system, client_id: str, assertion: str) -> ClientAssertionCredential:
    return ClientAssertionCredential(system.ready["tenant_id"], client_id, lambda: assertion, **going_to(system))


def test_az_makes_and_shows_an_expression(admin, identity, flexible):
    expression = {"languageVersion": 1, "value": REUSED}
    assert flexible["claimsMatchingExpression"] == expression
    shown = admin(
        "identity federated-credential show --name branches -g demo", *("--identity-name", identity.name)
    )
    assert (shown["claimsMatchingExpression"], shown.get("subject")) == (expression, None)


@pytest.mark.parametrize("branch", ["main", "feature/x"])
def test_every_branch_that_the_expression_names_is_let_in(branch, system, identity, flexible, issuer):
    assertion = issuer.mint(f"repo:octo-org/octo-repo:ref:refs/heads/{branch}", **WORKFLOW)
    assert answers(system, exchange(system, identity.client_id, assertion).get_token(AI_SCOPE).token)


@pytest.mark.parametrize(
    ("subject", "claims"),
    [
        ("repo:octo-org/another-repo:ref:refs/heads/main", WORKFLOW),
        ("repo:octo-org/octo-repo-2:ref:refs/heads/main", WORKFLOW),
        ("repo:octo-org/octo-repo:pull_request", WORKFLOW),
        ("x-repo:octo-org/octo-repo:ref:refs/heads/main", WORKFLOW),
        ("repo:octo-org/octo-repo:ref:refs/heads/main", {}),
        ("repo:octo-org/octo-repo:ref:refs/heads/main", {"job_workflow_ref": "evil/ci/.github/workflows/deploy.yml@x"}),
        ("repo:octo-org/octo-repo:ref:refs/heads/main", {"job_workflow_ref": ["octo-org/ci/x@y"]}),
    ],
)
def test_a_token_that_the_expression_does_not_match_is_refused_n49(
    subject, claims, system, identity, flexible, issuer
):
    credential = exchange(system, identity.client_id, issuer.mint(subject, **claims))
    with pytest.raises(ClientAuthenticationError, match="AADSTS700213"):
        credential.get_token(AI_SCOPE)


def test_an_expression_on_an_application_lives_and_dies(admin, system, operator, demo, directory, issuer):
    """As Microsoft documents it: `az rest` on Graph's beta, with a subject of null."""
    application = directory.create_application()
    operator.assign(application, demo["id"])
    base = f"{system.ready['control']}/beta/applications/{application.id}/federatedIdentityCredentials"
    graph = ("--resource", f"{system.ready['control']}/")
    body = (
        f'{{"name": "branches", "issuer": "{issuer.url}", "subject": null, "audiences": ["{EXCHANGE}"],'
        f' "claimsMatchingExpression": {{"value": "{BRANCHES}", "languageVersion": 1}}}}'
    )
    made = admin("rest --method post --url", base, *graph, "--body", body)
    assert made["claimsMatchingExpression"] == {"value": BRANCHES, "languageVersion": 1}
    assertion = issuer.mint("repo:octo-org/octo-repo:ref:refs/heads/release")
    assert answers(system, exchange(system, application.client_id, assertion).get_token(AI_SCOPE).token)
    admin("rest --method delete --url", f"{base}/branches", *graph)
    assert admin("ad app federated-credential list --id", application.id) == []
    with pytest.raises(ClientAuthenticationError, match="AADSTS700211"):
        exchange(system, application.client_id, assertion).get_token(AI_SCOPE)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("claims['sub'] matches '*'", "matches everything"),
        ("claims['sub'] matches 'repo:*'", "does not tie `sub` to one owner"),
        ("claims['ref'] eq 'refs/heads/main'", "does not tie `sub` to one owner"),
        ("claims['sub'] like 'repo:octo-org/*'", "malformed at byte"),
    ],
)
def test_an_expression_that_lets_strangers_in_is_refused_n67(expression, why, admin, identity, issuer):
    said = admin.refused(
        "identity federated-credential create --name wide -g demo --cme-version 1",
        *("--identity-name", identity.name, "--issuer", issuer.url, "--cme-value", expression),
    )
    assert "(BadRequest)" in said and "claimsMatchingExpression" in said and why in said


def test_a_subject_and_an_expression_together_are_refused(admin, identity, issuer):
    said = admin.refused(
        "identity federated-credential create --name both -g demo --cme-version 1 --subject x:y:z",
        *("--identity-name", identity.name, "--issuer", issuer.url, "--cme-value", BRANCHES),
    )
    assert "but not both" in said


# Each as its issuer writes it, and a near miss of somebody else.
SUBJECTS = {
    "GitHub": ("repo:octo-org/octo-repo:environment:Production", "repo:octo-org/octo-repo:environment:production"),
    "GitHub, immutable": (
        "repo:octo-org@123456/octo-repo@456789:ref:refs/heads/main",
        "repo:octo-org@123456/octo-repo@456780:ref:refs/heads/main",
    ),
    "GitLab": ("project_path:my-group/my-project:ref_type:branch:ref:main", "project_path:my-group/my-project:ref_type:tag:ref:main"),
    "Buildkite": (
        "organization:my-org:pipeline:deploy:ref:refs/heads/main:commit:9f3182061f1e2cca4702c368cbc039b7dc9d4485:step:build",
        "organization:my-org:pipeline:deploy:ref:refs/heads/main:commit:0000000000000000000000000000000000000000:step:build",
    ),
    "CircleCI": (
        "org/2c0e3a5e/project/7bd1cf5d/user/8f4e/vcs-origin/github.com/o/r/vcs-ref/refs/heads/main",
        "org/2c0e3a5e/project/7bd1cf5d/user/8f4e/vcs-origin/github.com/o/r/vcs-ref/refs/heads/next",
    ),
    "Kubernetes": ("system:serviceaccount:shop:api", "system:serviceaccount:shop:api2"),
    "SPIFFE": ("spiffe://prod.example.org/ns/shop/sa/api", "spiffe://prod.example.org/ns/shop/sa/api/"),
}


@pytest.mark.parametrize("form", SUBJECTS)
def test_every_issuers_form_of_subject_is_matched_exactly_n49(form, system, operator, demo, directory, issuer):
    right, wrong = SUBJECTS[form]
    application = directory.create_application()
    operator.assign(application, demo["id"])
    directory.trust(application, issuer.url, right)
    assert answers(system, exchange(system, application.client_id, issuer.mint(right)).get_token(AI_SCOPE).token)
    with pytest.raises(ClientAuthenticationError, match="AADSTS7002138?3?"):
        exchange(system, application.client_id, issuer.mint(wrong)).get_token(AI_SCOPE)


def test_an_issuer_that_signs_es256_is_taken_where_the_credential_says_so_n52(
    system, operator, demo, directory, issuer: Issuer
):
    """As SPIRE does from the factory."""
    application = directory.create_application()
    operator.assign(application, demo["id"])
    subject = "spiffe://prod.example.org/ns/shop/sa/signer"
    directory.trust(application, issuer.url, subject)
    credential = exchange(system, application.client_id, issuer.mint(subject, algorithm="ES256"))
    with pytest.raises(ClientAuthenticationError, match="AADSTS"):
        credential.get_token(AI_SCOPE)
    path = f"applications/{application.id}/federatedIdentityCredentials/workload"
    directory.ask("PATCH", path, {"signingAlgorithms": ["ES256"]})
    assert answers(system, credential.get_token(AI_SCOPE).token)
    with pytest.raises(ClientAuthenticationError, match="AADSTS"):
        exchange(system, application.client_id, issuer.mint(subject)).get_token(AI_SCOPE)
