"""Asks a model two questions at once with the asynchronous clients."""

import asyncio
import os

from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider
from openai import AsyncAzureOpenAI


async def ask(client: AsyncAzureOpenAI, question: str) -> str:
    answer = await client.chat.completions.create(model="chat", messages=[{"role": "user", "content": question}])
    return answer.choices[0].message.content


async def main() -> None:
    async with (
        DefaultAzureCredential() as credential,
        AsyncAzureOpenAI(
            azure_ad_token_provider=get_bearer_token_provider(
                credential, "https://cognitiveservices.azure.com/.default"
            ),
            azure_endpoint=os.getenv("AZURE_OPENAI_ENDPOINT"),
            api_version="2024-02-15-preview",
        ) as client,
    ):
        answers = await asyncio.gather(
            ask(client, "Name a colour of the rainbow. One word."),
            ask(client, "Name a season of the year. One word."),
        )
    print("\n".join(answers))


asyncio.run(main())
