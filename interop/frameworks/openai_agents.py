import asyncio

from agents import Agent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from question import QUESTION
from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider
from openai import AsyncAzureOpenAI

set_tracing_disabled(True)


async def answer() -> str:
    async with DefaultAzureCredential() as credential:
        token = get_bearer_token_provider(credential, "https://cognitiveservices.azure.com/.default")
        client = AsyncAzureOpenAI(azure_ad_token_provider=token, max_retries=0)
        agent = Agent(name="asker", model=OpenAIChatCompletionsModel(model="chat", openai_client=client))
        return (await Runner.run(agent, QUESTION)).final_output


def ask() -> str:
    return asyncio.run(answer())
