from question import QUESTION
from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from langchain_openai import AzureChatOpenAI

token = get_bearer_token_provider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default")
model = AzureChatOpenAI(azure_deployment="chat", azure_ad_token_provider=token, max_retries=0)


def ask() -> str:
    return "".join(part.content for part in model.stream(QUESTION))
