"""Asks a model a question as one particular managed identity, named by its client id."""

import os

from azure.identity import ManagedIdentityCredential, get_bearer_token_provider
from openai import AzureOpenAI

# A client id is a name, not a secret: it is of no use to a program that the identity is not attached to.
credential = ManagedIdentityCredential(client_id=os.getenv("AZURE_CLIENT_ID"))

client = AzureOpenAI(
    azure_ad_token_provider=get_bearer_token_provider(credential, "https://cognitiveservices.azure.com/.default"),
    azure_endpoint=os.getenv("AZURE_OPENAI_ENDPOINT"),
    api_version="2024-02-15-preview",
)

answer = client.chat.completions.create(
    model="chat",
    messages=[{"role": "user", "content": "What is the capital of Japan? Answer in one sentence."}],
)
print(answer.choices[0].message.content)
