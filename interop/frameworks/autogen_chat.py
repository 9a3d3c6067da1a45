import asyncio
import os

from question import QUESTION
from autogen_core.models import UserMessage
from autogen_ext.models.openai import AzureOpenAIChatCompletionClient
from azure.identity import DefaultAzureCredential, get_bearer_token_provider

token = get_bearer_token_provider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default")


async def answer() -> str:
    model = AzureOpenAIChatCompletionClient(
        azure_deployment="chat",
        model="gpt-4o",
        azure_endpoint=os.environ["AZURE_OPENAI_ENDPOINT"],
        api_version=os.environ["OPENAI_API_VERSION"],
        azure_ad_token_provider=token,
        max_retries=0,
    )
    return (await model.create([UserMessage(content=QUESTION, source="user")])).content


def ask() -> str:
    return asyncio.run(answer())
