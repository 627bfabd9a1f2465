// Admits devices on good networks, and everybody on a list.
import { contains } from "berth:policy/cohort@1.0.0";

const schema = {{schema}};

export const about = {
  describe: () => ({
    name: "{{name}}",
    version: "0.1.0",
    summary: "Admits devices on good networks, and everybody on a list.",
    configSchema: JSON.stringify(schema),
  }),
};

let config;

// Called once per instance, before anything else. What is thrown as a text is the policy's own error.
export const configure = {
  configure(json) {
    config = { networks: ["wifi"], ...JSON.parse(json) };
  },
};

export const gray = {
  decide(device, task) {
    const listed = config.always !== undefined && contains(config.always, device.guid);
    if (listed || config.networks.includes(device.network)) return { tag: "admit" };
    return { tag: "refuse", val: `the network ${device.network} is none of ${config.networks.join(", ")}` };
  },
};
