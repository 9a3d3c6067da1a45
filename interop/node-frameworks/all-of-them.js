// Lets each program that is named ask, waits for a line on standard input, and lets each ask again. Prints one JSON object per round: what each
// program was answered, or what its framework says went wrong.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const programs = {};
for (const name of process.argv.slice(2)) programs[name] = await import(`./${name}.js`);

for (let round = 0; round < 2; round++) {
  const outcomes = {};
  for (const [name, program] of Object.entries(programs)) {
    try {
      outcomes[name] = { answer: await program.ask("is anybody there") };
    } catch (error) {
      outcomes[name] = { error: `${error.constructor.name}: ${error.message}` };
    }
  }
  console.log("result", JSON.stringify(outcomes));
  await lines.next();
}
process.exit();
