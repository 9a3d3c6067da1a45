// Asks over HTTP/2 without a token, many streams at once on one connection after the other, until its input ends; then prints how often
// it was answered: {"answered", "connections"}.
"use strict";
const fs = require("node:fs");
const http2 = require("node:http2");

const [url, caFile, path] = process.argv.slice(2);
const AT_ONCE = 20;
const ca = fs.readFileSync(caFile);
const told = { answered: 0, connections: 0 };
let over = false;
let session;

function connect() {
  if (over) return;
  told.connections += 1;
  session = http2.connect(url, { ca });
  session.on("error", () => {});
  session.on("close", () => setImmediate(connect));
  const mine = session;
  session.once("connect", () => {
    for (let number = 0; number < AT_ONCE; number += 1) ask(mine);
  });
}

function ask(mine) {
  if (over || mine.closed || mine.destroyed) return;
  const stream = mine.request({ ":path": path, ":method": "POST", "content-type": "application/json" });
  stream.on("response", () => (told.answered += 1));
  stream.on("error", () => {});
  stream.on("close", () => setImmediate(ask, mine));
  stream.resume();
  stream.end("{}");
}

process.stdin.on("end", () => {
  over = true;
  session.destroy();
  console.log(JSON.stringify(told));
});
process.stdin.resume();
connect();
