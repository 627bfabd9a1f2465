// Asks the libraries of others about a message: are the signatures good, is the body a CloudEvent?
// stdin: {secrets, headers, body}; stdout: {verified, forged, type, name}
const { Webhook } = require("standardwebhooks");
const { HTTP } = require("cloudevents");

const { secrets, headers, body } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const accepts = (secret, text) => {
  try {
    new Webhook(secret).verify(text, headers);
    return true;
  } catch {
    return false;
  }
};
const verified = secrets.filter((secret) => accepts(secret, body)).length;
const forged = secrets.filter((secret) => accepts(secret, body.replace("app-one", "app-two"))).length;
// Strict: every attribute is checked by the specification.
const event = HTTP.toEvent({ headers, body });
event.validate();
console.log(JSON.stringify({ verified, forged, type: event.type, name: event.data.name }));
