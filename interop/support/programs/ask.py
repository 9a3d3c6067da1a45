"""A program without a key: asks one deployment, and prints the answer or the refusal."""

import sys

from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from openai import APIStatusError, AzureOpenAI

provider = get_bearer_token_provider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default")
client = AzureOpenAI(azure_ad_token_provider=provider, max_retries=0)
try:
    reply = client.chat.completions.create(
        model=sys.argv[1], messages=[{"role": "user", "content": "is anybody there"}]
    )
    print(reply.choices[0].message.content)
except APIStatusError as error:
    code = error.response.json()["error"]["code"]
    print(f"refused: {error.status_code} {code}")
