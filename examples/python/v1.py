"""Asks a model a question through the v1 route: the plain OpenAI client, no api-version, and still no key."""

import os

from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from openai import OpenAI

client = OpenAI(
    base_url=os.environ["AZURE_OPENAI_ENDPOINT"].rstrip("/") + "/openai/v1/",
    # Not a key but a function: the client calls it before each request and sends the token it returns.
    api_key=get_bearer_token_provider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default"),
)

answer = client.chat.completions.create(
    model="chat",
    messages=[{"role": "user", "content": "What is the capital of Italy? Answer in one sentence."}],
)
print(answer.choices[0].message.content)
