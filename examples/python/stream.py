"""Prints a model's answer word by word, as it is made."""

import os

from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from openai import AzureOpenAI

client = AzureOpenAI(
    azure_ad_token_provider=get_bearer_token_provider(
        DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default"
    ),
    azure_endpoint=os.getenv("AZURE_OPENAI_ENDPOINT"),
    api_version="2024-02-15-preview",
)

chunks = client.chat.completions.create(
    model="chat",
    messages=[{"role": "user", "content": "Count from one to five."}],
    stream=True,
)
for chunk in chunks:
    # Azure's first chunk has no choices, and a role or an end has no text.
    for choice in chunk.choices:
        print(choice.delta.content or "", end="", flush=True)
print()
