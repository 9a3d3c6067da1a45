import { DefaultAzureCredential, getBearerTokenProvider } from "@azure/identity";
import { AzureChatOpenAI } from "@langchain/openai";

const model = new AzureChatOpenAI({
  azureADTokenProvider: getBearerTokenProvider(new DefaultAzureCredential(), "https://cognitiveservices.azure.com/.default"),
  azureOpenAIApiDeploymentName: "chat",
  azureOpenAIApiVersion: process.env.OPENAI_API_VERSION,
  maxRetries: 0,
});

export async function ask(question) {
  return (await model.invoke(question)).content;
}
