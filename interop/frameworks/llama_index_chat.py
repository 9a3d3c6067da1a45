from question import QUESTION
from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from llama_index.llms.azure_openai import AzureOpenAI

token = get_bearer_token_provider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default")
model = AzureOpenAI(engine="chat", model="gpt-4o", use_azure_ad=True, azure_ad_token_provider=token, max_retries=0)


def ask() -> str:
    return model.complete(QUESTION).text
