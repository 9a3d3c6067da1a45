// Asks a model a question through the v1 route: the plain OpenAI client, no api-version, and still no key.

import { DefaultAzureCredential, getBearerTokenProvider } from "@azure/identity";
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: `${process.env.AZURE_OPENAI_ENDPOINT.replace(/\/$/, "")}/openai/v1/`,
  // Not a key but a function: the client calls it before each request and sends the token it returns.
  apiKey: getBearerTokenProvider(new DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default"),
});

const answer = await client.chat.completions.create({
  model: "chat",
  messages: [{ role: "user", content: "What is the capital of Italy? Answer in one sentence." }],
});
console.log(answer.choices[0].message.content);
