// Refuses packages with files that do not belong into a release.

const schema = {{schema}};

export const about = {
  describe: () => ({
    name: "{{name}}",
    version: "0.1.0",
    summary: "Refuses packages with files that do not belong into a release.",
    configSchema: JSON.stringify(schema),
  }),
};

let config;

// Called once per instance, before anything else. What is thrown as a text is the policy's own error.
export const configure = {
  configure(json) {
    config = { endings: [".psd", ".mp4"], ...JSON.parse(json) };
  },
};

export const audit = {
  audit(subject) {
    const unwanted = ({ path }) => config.endings.some((ending) => path.endsWith(ending));
    return subject.files().filter(unwanted).map(({ path }) => ({
      rule: "unwanted-file",
      severity: "error",
      message: `${path} does not belong into a release.`,
      place: { path, line: 1, column: 1 },
      fix: `Remove ${path} from the package.`,
    }));
  },
};
