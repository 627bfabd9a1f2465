// What the functions of a policy return, as `wit/` has it. The engine stops without a word at what it cannot read, and
// makes other values of some: the line 1.5 becomes 1.

const severities = ["note", "warning", "error"];
const wholeNumber = (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32;

const text = { fits: (value) => typeof value === "string", is: "a text" };
const number = { fits: wholeNumber, is: "a whole number from 0 to 4294967295" };
const severity = { fits: (value) => severities.includes(value), is: severities.map((name) => `"${name}"`).join(" or ") };

const place = record("place", { path: text, line: number, column: number });
const finding = record("finding", { rule: text, severity, message: text }, { place, fix: text });

const answers = {
  describe: record("description", { name: text, version: text, summary: text, configSchema: text }),
  configure: () => undefined,
  audit: list(finding),
  decide: variant("a verdict", { admit: false, refuse: true }),
  judge: variant("an advice", { "carry-on": false, suspend: true, end: true }),
};

/** What is wrong with the answer of this function, such as `a finding without message`; nothing when it is right. */
export function fault(name, answer) {
  if (answer instanceof Promise) return "a Promise: a policy answers at once, so its functions are not async";
  return answers[name](answer);
}

/** A value as people would write it, not longer than a line. */
export function shown(value) {
  if (typeof value === "function") return `the function ${value.name || "without a name"}`;
  if (typeof value === "bigint") return `${value}n`;
  let written;
  try {
    written = JSON.stringify(value);
  } catch {
    // It contains itself, or a BigInt.
  }
  written ??= String(value);
  return written.length > 100 ? `${written.slice(0, 99)}…` : written;
}

const absent = (value) => value === undefined || value === null;

function record(noun, required, optional = {}) {
  const member = (value, name, type) => {
    if (typeof type === "function") {
      const wrong = type(value);
      return wrong && `a ${noun} with ${wrong}`;
    }
    return type.fits(value) ? undefined : `a ${noun} whose ${name} is ${shown(value)} and not ${type.is}`;
  };
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return `${shown(value)} and not a ${noun}, which is an object`;
    }
    for (const [name, type] of Object.entries(required)) {
      const wrong = absent(value[name]) ? `a ${noun} without ${name}` : member(value[name], name, type);
      if (wrong) return wrong;
    }
    for (const [name, type] of Object.entries(optional)) {
      const wrong = absent(value[name]) ? undefined : member(value[name], name, type);
      if (wrong) return wrong;
    }
  };
}

function list(item) {
  return (values) => {
    if (!Array.isArray(values)) return `${shown(values)} and not an array of findings`;
    // Not `map`, which skips the holes of an array.
    for (let index = 0; index < values.length; index++) {
      const wrong = item(values[index]);
      if (wrong) return `${wrong} (number ${index + 1} of ${values.length})`;
    }
  };
}

function variant(noun, tags) {
  const known = Object.entries(tags).map(([tag, has]) => (has ? `{ tag: "${tag}", val: "why" }` : `{ tag: "${tag}" }`));
  return (value) => {
    const has = Object.hasOwn(tags, value?.tag) ? tags[value.tag] : undefined;
    if (has === undefined) return `${shown(value)} and not ${noun}, which is ${known.join(" or ")}`;
    if (has && absent(value.val)) return `${noun} "${value.tag}" without val, the text that says why`;
    if (has && !text.fits(value.val)) return `${noun} "${value.tag}" whose val is ${shown(value.val)} and not a text`;
  };
}
