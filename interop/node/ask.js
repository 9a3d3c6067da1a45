// Asks with the token in TOKEN, in both of the client's ways, and prints what came of each as JSON: an answer, or status and message of the refusal.
import { AzureOpenAI, OpenAI } from "openai";

const { TOKEN, AZURE_OPENAI_ENDPOINT: endpoint } = process.env;
const once = { maxRetries: 0, timeout: 20_000 };
const clients = {
  dated: new AzureOpenAI({ ...once, azureADTokenProvider: async () => TOKEN, deployment: "chat" }),
  v1: new OpenAI({ ...once, baseURL: `${endpoint}/openai/v1`, apiKey: TOKEN }),
};

const came = {};
for (const [name, client] of Object.entries(clients)) {
  try {
    const reply = await client.chat.completions.create({ model: "chat", messages: [{ role: "user", content: "is anybody there" }] });
    came[name] = { answer: reply.choices[0].message.content };
  } catch (error) {
    came[name] = { kind: error.constructor.name, status: error.status, message: error.message };
  }
}
console.log(JSON.stringify(came));
