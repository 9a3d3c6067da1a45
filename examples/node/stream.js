// Prints a model's answer word by word, as it is made.

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

const chunks = await client.chat.completions.create({
  model: "chat",
  messages: [{ role: "user", content: "Count from one to five." }],
  stream: true,
});
for await (const chunk of chunks) {
  // Azure's first chunk has no choices, and a role or an end has no text.
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}
process.stdout.write("\n");
