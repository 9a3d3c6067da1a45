import os

import litellm
from question import QUESTION
from azure.identity import DefaultAzureCredential, get_bearer_token_provider

token = get_bearer_token_provider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default")


def ask() -> str:
    answer = litellm.completion(
        "azure/chat",
        api_base=os.environ["AZURE_OPENAI_ENDPOINT"],
        api_version=os.environ["OPENAI_API_VERSION"],
        azure_ad_token_provider=token,
        messages=[{"role": "user", "content": QUESTION}],
        max_retries=0,
    )
    return answer.choices[0].message.content
