import asyncio

from question import QUESTION
from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider
from openai import AsyncAzureOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.azure import AzureProvider


async def answer() -> str:
    async with DefaultAzureCredential() as credential:
        token = get_bearer_token_provider(credential, "https://cognitiveservices.azure.com/.default")
        client = AsyncAzureOpenAI(azure_ad_token_provider=token, max_retries=0)
        agent = Agent(OpenAIChatModel("chat", provider=AzureProvider(openai_client=client)))
        return (await agent.run(QUESTION)).output


def ask() -> str:
    return asyncio.run(answer())
