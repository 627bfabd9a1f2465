// Makes the component. A policy has no clock, no randomness and no network, so none of them is built in.
import { readFile, writeFile } from "node:fs/promises";
import { componentize } from "@bytecodealliance/componentize-js";

// What berth/ambient.js refuses when it is called is told here already.
const ambient = /\b(Math\.random|Date\.now|performance\.now|crypto\.(randomUUID|getRandomValues)|setTimeout|setInterval|fetch)\b|new Date\(\)/;
(await readFile("policy.js", "utf8")).split("\n").forEach((line, index) => {
  const [call] = line.match(ambient) ?? [];
  if (call) console.warn(`warning: policy.js:${index + 1} names ${call}, which a policy does not have: a call ends the evaluation.`);
});

const { component } = await componentize({
  sourcePath: "berth/entry.js",
  witPath: "wit",
  worldName: "{{world}}",
  disableFeatures: ["random", "stdio", "clocks", "http", "fetch-event"],
});
await writeFile("{{name}}.wasm", component);
