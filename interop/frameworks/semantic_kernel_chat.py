import asyncio

from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from question import QUESTION
from semantic_kernel.connectors.ai.open_ai import AzureChatCompletion, AzureChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory

token = get_bearer_token_provider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default")


async def answer() -> str:
    model = AzureChatCompletion(deployment_name="chat", ad_token_provider=token)
    history = ChatHistory()
    history.add_user_message(QUESTION)
    return str(await model.get_chat_message_content(history, AzureChatPromptExecutionSettings()))


def ask() -> str:
    return asyncio.run(answer())
