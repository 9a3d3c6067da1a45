import instructor
from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from openai import AzureOpenAI
from pydantic import BaseModel

token = get_bearer_token_provider(DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default")
client = instructor.from_openai(AzureOpenAI(azure_ad_token_provider=token, max_retries=0), mode=instructor.Mode.JSON)


class City(BaseModel):
    name: str


def ask() -> str:
    question = [{"role": "user", "content": '{"name": "Paris"}'}]
    return client.chat.completions.create(model="chat", response_model=City, messages=question, max_retries=0).name
