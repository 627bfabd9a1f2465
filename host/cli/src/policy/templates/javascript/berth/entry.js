// Where the build begins; `policy.js` is yours. What it throws and does not catch ends the evaluation, and the host is
// told what it was and where.
import "./ambient.js";
import { fatal } from "berth:policy/log@1.0.0";
import * as policy from "../policy.js";

// A text that is thrown is the policy's own answer, "I could not judge"; an Error is a fault of the policy.
function guarded(interfaceName, functionName) {
  return (...given) => {
    try {
      return policy[interfaceName][functionName](...given);
    } catch (error) {
      if (error instanceof Error && !("payload" in error)) fatal(lastWords(error));
      throw error;
    }
  };
}

function lastWords(error) {
  const place = error.stack?.split("\n").find((line) => line.includes("policy.js"))?.trim();
  return `${error.name}: ${error.message}${place ? ` (${place})` : ""}`;
}

export const about = { describe: guarded("about", "describe") };
export const configure = { configure: guarded("configure", "configure") };
export const {{interface}} = { {{function}}: guarded("{{interface}}", "{{function}}") };
