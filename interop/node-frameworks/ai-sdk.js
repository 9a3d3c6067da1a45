import { createAzure } from "@ai-sdk/azure";
import { DefaultAzureCredential, getBearerTokenProvider } from "@azure/identity";
import { generateText } from "ai";

const azure = createAzure({
  // On Azure's own host names `resourceName` is enough.
  baseURL: `${process.env.AZURE_OPENAI_ENDPOINT}/openai/v1`,
  tokenProvider: getBearerTokenProvider(new DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default"),
});

export async function ask(question) {
  const { text } = await generateText({ model: azure.chat("chat"), prompt: question, maxRetries: 0 });
  return text;
}
