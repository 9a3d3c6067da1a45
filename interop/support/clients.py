"""The official `openai` clients, pointed at a system, and what they show when they are refused."""

from openai import APIStatusError, AzureOpenAI, DefaultHttpxClient, OpenAI

from .keyless import Keyless

API_VERSION = "2024-02-15-preview"
QUESTION = "is anybody there"
ANSWER = f"You said: {QUESTION}"


def dated(system: Keyless, endpoint: str, *, token: str | None = None, key: str | None = None) -> AzureOpenAI:
    """The Azure client on the dated routes, with a token or an API key."""
    credential = {"azure_ad_token": token} if token else {"api_key": key}
    return AzureOpenAI(azure_endpoint=endpoint, api_version=API_VERSION, **credential, **transport(system))


def v1(system: Keyless, endpoint: str, credential: str) -> OpenAI:
    """The plain client on the v1 routes; it sends whatever it is given as a bearer."""
    return OpenAI(base_url=f"{endpoint}/openai/v1/", api_key=credential, **transport(system))


def transport(system: Keyless) -> dict:
    # A retry would hide an answer that came late or twice.
    return {"http_client": DefaultHttpxClient(verify=system.tls), "max_retries": 0, "timeout": 20}


def ask(client: OpenAI, *, deployment: str = "chat", question: str = QUESTION) -> str:
    reply = client.chat.completions.create(model=deployment, messages=[{"role": "user", "content": question}])
    return reply.choices[0].message.content


def ask_with_id(client: OpenAI, *, deployment: str = "chat", question: str = QUESTION) -> tuple[str, str]:
    """The answer, and the id the system gave the call."""
    raw = client.chat.completions.with_raw_response.create(
        model=deployment, messages=[{"role": "user", "content": question}]
    )
    return raw.parse().choices[0].message.content, raw.headers["apim-request-id"]


def refusal(client: OpenAI, *, deployment: str = "chat") -> tuple[int, dict]:
    """Status and body of the refusal of a chat; an answer is a failure."""
    try:
        answer = ask(client, deployment=deployment)
    except APIStatusError as error:
        return error.status_code, error.response.json()
    raise AssertionError(f"not refused, answered {answer!r}")
