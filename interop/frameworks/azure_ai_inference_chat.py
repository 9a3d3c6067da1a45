import os

from question import QUESTION
from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.models import UserMessage
from azure.identity import DefaultAzureCredential

model = ChatCompletionsClient(
    endpoint=f"{os.environ['AZURE_OPENAI_ENDPOINT'].rstrip('/')}/openai/deployments/chat",
    credential=DefaultAzureCredential(),
    credential_scopes=["https://cognitiveservices.azure.com/.default"],
    api_version=os.environ["OPENAI_API_VERSION"],
)


def ask() -> str:
    return model.complete(messages=[UserMessage(QUESTION)]).choices[0].message.content
