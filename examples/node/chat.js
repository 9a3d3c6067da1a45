// Asks a model a question. This program has an identity and no key.

import { DefaultAzureCredential, getBearerTokenProvider } from "@azure/identity";
import { AzureOpenAI } from "openai";

const azureADTokenProvider = getBearerTokenProvider(
  new DefaultAzureCredential(),
  "https://cognitiveservices.azure.com/.default",
);

const client = new AzureOpenAI({
  azureADTokenProvider,
  endpoint: process.env.AZURE_OPENAI_ENDPOINT,
  apiVersion: "2024-02-15-preview",
});

const answer = await client.chat.completions.create({
  model: "chat",
  messages: [{ role: "user", content: "What is the capital of France? Answer in one sentence." }],
});
console.log(answer.choices[0].message.content);
