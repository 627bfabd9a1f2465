// Suspends a release on which too many devices fail.

const schema = {{schema}};

export const about = {
  describe: () => ({
    name: "{{name}}",
    version: "0.1.0",
    summary: "Suspends a release on which too many devices fail.",
    configSchema: JSON.stringify(schema),
  }),
};

let config;

// Called once per instance, before anything else. What is thrown as a text is the policy's own error.
export const configure = {
  configure(json) {
    config = { max_failed_percent: 5, min_devices: 50, ...JSON.parse(json) };
  },
};

export const watch = {
  judge(health) {
    // Counts are 64 bits wide, which JavaScript calls BigInt.
    const sum = (count) => health.gray.reduce((total, window) => total + Number(window[count]), 0);
    const [tried, failed] = [sum("tried"), sum("failed")];
    if (tried < config.min_devices || failed * 100 <= tried * config.max_failed_percent) return { tag: "carry-on" };
    return { tag: "suspend", val: `${failed} of ${tried} devices fail, more than ${config.max_failed_percent} %` };
  },
};
