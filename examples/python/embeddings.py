"""Turns three sentences into vectors and prints how near the first is to each of the others."""

import math
import os

from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from openai import AzureOpenAI

client = AzureOpenAI(
    azure_ad_token_provider=get_bearer_token_provider(
        DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default"
    ),
    azure_endpoint=os.getenv("AZURE_OPENAI_ENDPOINT"),
    api_version="2024-02-15-preview",
)


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b)) / (math.hypot(*a) * math.hypot(*b))


sentences = ["The cat sleeps on the sofa.", "A kitten naps on the couch.", "Interest rates rose in March."]
first, *others = (item.embedding for item in client.embeddings.create(model="embed", input=sentences).data)
for sentence, vector in zip(sentences[1:], others):
    print(f"{cosine(first, vector):.3f}  {sentence}")
