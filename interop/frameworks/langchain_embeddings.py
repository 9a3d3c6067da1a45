from question import QUESTION
from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from langchain_openai import AzureOpenAIEmbeddings

token = get_bearer_token_provider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default")
model = AzureOpenAIEmbeddings(azure_deployment="embed", azure_ad_token_provider=token, max_retries=0, check_embedding_ctx_length=False)


def ask() -> str:
    return f"{len(model.embed_query(QUESTION))} dimensions"
