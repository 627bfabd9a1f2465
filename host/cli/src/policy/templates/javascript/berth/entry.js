// Where the build begins; `policy.js` is yours. What it throws and does not catch, or returns and no host can read, ends
// the evaluation, and the host is told what it was and where.
import "./ambient.js";
import { fatal } from "berth:policy/log@1.0.0";
import { logged } from "./console.js";
import { fault, shown } from "./shape.js";
import * as policy from "../policy.js";

// A text that is thrown is the policy's own answer, "I could not judge", where the function has one; all else that is
// thrown is a fault of the policy.
function guarded(interfaceName, name, { answersWithText }) {
  if (typeof policy[interfaceName]?.[name] !== "function") {
    throw new Error(`policy.js must export \`${interfaceName}\` with a function \`${name}\`, and does not.`);
  }
  return (...given) => {
    given.forEach(nameWhatIsRead);
    let answer;
    try {
      answer = logged(() => policy[interfaceName][name](...given));
    } catch (error) {
      if (answersWithText && typeof error === "string") throw error;
      fatal(lastWords(name, error));
    }
    const wrong = fault(name, answer);
    if (wrong) fatal(`${name}() returned ${wrong}.`);
    return answer;
  };
}

// What the engine throws for the host's `read-error` is no Error, and knows neither its place nor the file.
class ReadError extends Error {
  name = "ReadError";

  constructor(payload, path) {
    super(`${payload.tag}: ${path}${payload.val === undefined ? "" : `, one read gives at most ${payload.val} bytes`}`);
    this.payload = payload;
  }
}

function nameWhatIsRead(subject) {
  const archive = typeof subject === "object" ? Object.getPrototypeOf(subject) : undefined;
  const read = archive?.read;
  if (typeof read !== "function" || read.namesWhatIsRead) return;
  archive.read = function (path, ...range) {
    try {
      return read.call(this, path, ...range);
    } catch (error) {
      throw error?.payload?.tag ? new ReadError(error.payload, path) : error;
    }
  };
  archive.read.namesWhatIsRead = true;
}

function lastWords(name, error) {
  if (!(error instanceof Error)) {
    return `${name}() threw ${shown(error)}. Throw an Error, which knows its place` +
      (name === "describe" ? "." : ', or a text, which says "I could not judge".');
  }
  const what = error instanceof ReadError ? error.message : `${error.name}: ${error.message}`;
  const place = error.stack?.split("\n").find(isYours)?.trim();
  return place ? `${what} (${place})` : what;
}

// Lines of a stack say `function@file:line:column`, the deepest first.
const isYours = (line) => /\.m?js:\d/.test(line) && !/(^|[/@])(berth|node_modules)\/|initializer\.js/.test(line);

export const about = { describe: guarded("about", "describe", { answersWithText: false }) };
export const configure = { configure: guarded("configure", "configure", { answersWithText: true }) };
export const {{interface}} = { {{function}}: guarded("{{interface}}", "{{function}}", { answersWithText: true }) };
