"""The exact answers Azure gives to the callers it refuses: status and body."""

UNAUTHORIZED = (
    401,
    {
        "statusCode": 401,
        "message": (
            "Unauthorized. Access token is missing, invalid, audience is incorrect "
            "(https://cognitiveservices.azure.com), or have expired."
        ),
    },
)

WRONG_KEY = (
    401,
    {
        "error": {
            "code": "401",
            "message": (
                "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
                "for an active subscription and use a correct regional API endpoint for your resource."
            ),
        }
    },
)

KEYS_DISABLED = (
    403,
    {
        "error": {
            "code": "AuthenticationTypeDisabled",
            "message": "Key based authentication is disabled for this resource.",
        }
    },
)

NO_DEPLOYMENT = (
    404,
    {
        "error": {
            "code": "DeploymentNotFound",
            "message": (
                "The API deployment for this resource does not exist. If you created the deployment within the last "
                "5 minutes, please wait a moment and try again."
            ),
        }
    },
)

NO_ROUTE = (404, {"error": {"code": "404", "message": "Resource not found"}})

CHAT_ACTION = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
CHAT_ROUTE = "POST /openai/deployments/{deployment-id}/chat/completions"


def permission_denied(principal_id: str, action: str = CHAT_ACTION, route: str = CHAT_ROUTE) -> tuple[int, dict]:
    message = (
        f"The principal `{principal_id}` lacks the required data action `{action}` to perform `{route}` operation."
    )
    return 401, {"error": {"code": "PermissionDenied", "message": message}}


def other_tenant(token_tenant: str) -> tuple[int, dict]:
    code = "Tenant provided in token does not match resource token"
    return 400, {"error": {"code": code, "message": f"Token tenant {token_tenant} does not match resource tenant."}}
