from question import QUESTION
from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from haystack.components.generators.chat import AzureOpenAIChatGenerator
from haystack.dataclasses import ChatMessage

token = get_bearer_token_provider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default")
model = AzureOpenAIChatGenerator(azure_deployment="chat", azure_ad_token_provider=token, max_retries=0)


def ask() -> str:
    return model.run([ChatMessage.from_user(QUESTION)])["replies"][0].text
