// Speaks HTTP/2 as Node's own client does, one task per line of input: {"path", "method", "headers", "body", "cancelAfter"}.
// Prints what the server allows, then one line per task: {"status", "headers", "body", "error"}.
"use strict";
const fs = require("node:fs");
const http2 = require("node:http2");
const readline = require("node:readline");

const [url, caFile] = process.argv.slice(2);
const session = http2.connect(url, { ca: fs.readFileSync(caFile), maxHeaderListPairs: 4096, settings: { maxHeaderListSize: 1 << 20 } });
session.on("error", () => {});

function ask(task) {
  return new Promise((resolve) => {
    const stream = session.request({ ":path": task.path, ":method": task.method || "GET", ...task.headers });
    const answer = { status: null, headers: {}, body: "", error: null };
    stream.setEncoding("utf8");
    stream.on("response", (headers) => {
      answer.status = headers[":status"];
      for (const name of Object.keys(headers)) answer.headers[name] = String(headers[name]);
    });
    stream.on("data", (piece) => {
      answer.body += piece;
      if (task.cancelAfter && answer.body.includes(task.cancelAfter)) stream.close(http2.constants.NGHTTP2_CANCEL);
    });
    stream.on("error", (error) => (answer.error = error.code || error.message));
    stream.on("close", () => resolve(answer));
    stream.end(task.body);
  });
}

session.once("remoteSettings", async (settings) => {
  console.log(JSON.stringify(settings));
  const tasks = [];
  for await (const line of readline.createInterface({ input: process.stdin })) tasks.push(ask(JSON.parse(line)));
  for (const answer of await Promise.all(tasks)) console.log(JSON.stringify(answer));
  session.close();
});
