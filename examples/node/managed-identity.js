// Asks a model a question as one particular managed identity, named by its client id.

import { ManagedIdentityCredential, getBearerTokenProvider } from "@azure/identity";
import { AzureOpenAI } from "openai";

// A client id is a name, not a secret: it is of no use to a program that the identity is not attached to.
const credential = new ManagedIdentityCredential({ clientId: process.env.AZURE_CLIENT_ID });

const client = new AzureOpenAI({
  azureADTokenProvider: getBearerTokenProvider(credential, "https://cognitiveservices.azure.com/.default"),
  endpoint: process.env.AZURE_OPENAI_ENDPOINT,
  apiVersion: "2024-02-15-preview",
});

const answer = await client.chat.completions.create({
  model: "chat",
  messages: [{ role: "user", content: "What is the capital of Japan? Answer in one sentence." }],
});
console.log(answer.choices[0].message.content);
