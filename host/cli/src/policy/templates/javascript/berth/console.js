// `console` writes to the policy's log, as the only output that a policy has. The engine would drop every line.
import { write } from "berth:policy/log@1.0.0";

// What is not named here is for the policy's author, as `debug` is.
const levels = { info: "info", warn: "warn", error: "warn" };
const quiet = ["assert", "clear", "countReset", "groupEnd"];

// There is no host, and so no log, while the build loads `policy.js`.
let asked = false;

for (const [name, whileBuilding] of Object.entries(console)) {
  if (typeof whileBuilding !== "function" || quiet.includes(name) || name.startsWith("time")) continue;
  console[name] = (...values) => {
    if (asked) write(levels[name] ?? "debug", values.map(written).join(" "));
    else whileBuilding.apply(console, values);
  };
}
console.assert = (holds, ...values) => {
  if (!holds) console.error("assertion failed:", ...values);
};

function written(value) {
  if (typeof value === "string") return value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  try {
    return JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}` : part)) ?? String(value);
  } catch {
    return String(value);
  }
}

/** Runs what the host asks for, so that it can write to the log. */
export function logged(run) {
  asked = true;
  return run();
}
