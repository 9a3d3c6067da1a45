// Turns three sentences into vectors and prints how near the first is to each of the others.

import { DefaultAzureCredential, getBearerTokenProvider } from "@azure/identity";
import { AzureOpenAI } from "openai";

const client = new AzureOpenAI({
  azureADTokenProvider: getBearerTokenProvider(
    new DefaultAzureCredential(),
    "https://cognitiveservices.azure.com/.default",
  ),
  endpoint: process.env.AZURE_OPENAI_ENDPOINT,
  apiVersion: "2024-02-15-preview",
});

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const cosine = (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

const input = ["The cat sleeps on the sofa.", "A kitten naps on the couch.", "Interest rates rose in March."];
const { data } = await client.embeddings.create({ model: "embed", input });
const [first, ...others] = data.map((item) => item.embedding);
others.forEach((vector, i) => console.log(`${cosine(first, vector).toFixed(3)}  ${input[i + 1]}`));
