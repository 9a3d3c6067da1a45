"""Asks a model a question. This program has an identity and no key."""

import os

from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from openai import AzureOpenAI

token_provider = get_bearer_token_provider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default")

client = AzureOpenAI(
    azure_ad_token_provider=token_provider,
    azure_endpoint=os.getenv("AZURE_OPENAI_ENDPOINT"),
    api_version="2024-02-15-preview",
)

answer = client.chat.completions.create(
    model="chat",
    messages=[{"role": "user", "content": "What is the capital of France? Answer in one sentence."}],
)
print(answer.choices[0].message.content)
