// A policy has no clock, no randomness and no network: the same input always has the same answer. The engine would go on
// with a frozen clock and the same random numbers each time, without a word. Here a call says what is missing, during
// the build already if `policy.js` makes it when it is loaded.

function refuse(what, instead) {
  return () => {
    throw new Error(`${what} was called, and ${instead}`);
  };
}

const noClock = "a policy has no clock. Time is an input: `task.now` of a grayscale policy, the windows of a guard.";
const noChance = "a policy has no randomness. Decide by what it is given, such as a hash of `device.guid`.";
const noTimers = "a policy has no timers: it answers at once.";
const noNetwork = "a policy has no network. What it needs to know is in its input and its config.";

Math.random = refuse("Math.random", noChance);
for (const name of ["getRandomValues", "randomUUID"]) {
  if (globalThis.crypto?.[name]) Object.defineProperty(crypto, name, { value: refuse(`crypto.${name}`, noChance) });
}
if (globalThis.performance) Object.defineProperty(performance, "now", { value: refuse("performance.now", noClock) });
for (const name of ["setTimeout", "setInterval"]) globalThis[name] = refuse(name, noTimers);
globalThis.fetch = refuse("fetch", noNetwork);
for (const name of ["time", "timeLog", "timeEnd"]) console[name] = refuse(`console.${name}`, noClock);

Date.now = refuse("Date.now", noClock);
globalThis.Date = new Proxy(Date, {
  apply: refuse("Date()", noClock),
  construct(date, given, target) {
    return given.length > 0 ? Reflect.construct(date, given, target) : refuse("new Date()", noClock)();
  },
});
Date.prototype.constructor = Date;
