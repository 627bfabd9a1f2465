// A merchant's login: the library oidc-provider, with a login page that believes the header x-person, and faults on demand.
// argument: {clients: [{client_id, client_secret?, redirect_uris, token_endpoint_auth_method?}]}
// stdout: its address, in one line. It ends when stdin does.
// POST /control {rotate: true}       another key signs from now on
// POST /control {down: true}         every request is answered by 503
// POST /control {claims: {…}}        members of the next ID tokens are these, signed by the right key; null takes one out
// POST /control {sign: "none" | "hs256" | "other"}   the next ID tokens are signed in a wrong way
// POST /control {user_info: {…}}     the user info says this, too
// POST /control {}                   all is well again
const { pathToFileURL } = require("url");
const { createServer } = require("http");
const load = (name) => import(pathToFileURL(require.resolve(name)));
const asked = JSON.parse(process.argv[2]);

const read = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
};

const run = async () => {
  const { Provider } = await load("oidc-provider");
  const jose = await load("jose");
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const issuer = `http://127.0.0.1:${server.address().port}`;

  let fault = {};
  let key, provider, handle;
  const make = async () => {
    key = await jose.generateKeyPair("RS256", { extractable: true });
    const jwk = { ...(await jose.exportJWK(key.privateKey)), alg: "RS256", use: "sig", kid: `k${Math.random()}` };
    provider = new Provider(issuer, {
      clients: asked.clients,
      jwks: { keys: [jwk] },
      cookies: { keys: ["some cookie key"] },
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      claims: { openid: ["sub"], profile: ["preferred_username", "staff_number"], email: ["email", "email_verified"] },
      findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, preferred_username: id, email: `${id}@acme.example`, email_verified: true, ...fault.user_info }),
      }),
      // Without TLS, as in all tests, a session is kept all the same.
      ttl: { Session: 600, Grant: 600, Interaction: 600, AccessToken: 600, IdToken: 600 },
    });
    provider.kid = jwk.kid;
    handle = provider.callback();
  };
  await make();

  // Logs in whom x-person names, who agrees to everything; without the header the user goes back.
  const interact = async (request, response) => {
    const { params, grantId } = await provider.interactionDetails(request, response);
    const person = request.headers["x-person"];
    if (!person) return provider.interactionFinished(request, response, { error: "access_denied" });
    const grant = grantId
      ? await provider.Grant.find(grantId)
      : new provider.Grant({ accountId: person, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(request, response, { login: { accountId: person }, consent });
  };

  // What the library answers to an exchange, with the ID token written anew.
  const spoil = async (request, response) => {
    const { "content-length": _, host: __, ...headers } = request.headers;
    const honest = await fetch(`${issuer}/token`, {
      method: "POST", body: await read(request), headers: { ...headers, "x-honest": "yes" },
    });
    const said = await honest.json();
    if (said.id_token) {
      const claims = { ...jose.decodeJwt(said.id_token), ...fault.claims };
      for (const name of Object.keys(claims)) if (claims[name] === null) delete claims[name];
      const other = await jose.generateKeyPair("RS256");
      const token = (alg) => new jose.SignJWT(claims).setProtectedHeader({ alg, kid: provider.kid });
      if (fault.sign === "none") said.id_token = new jose.UnsecuredJWT(claims).encode();
      // The public key, as everybody has it, as if it were a shared secret.
      else if (fault.sign === "hs256") said.id_token = await token("HS256").sign(Buffer.from(await jose.exportSPKI(key.publicKey)));
      else said.id_token = await token("RS256").sign(fault.sign === "other" ? other.privateKey : key.privateKey);
    }
    response.writeHead(honest.status, { "content-type": "application/json" }).end(JSON.stringify(said));
  };

  server.on("request", async (request, response) => {
    if (request.url === "/control") {
      fault = JSON.parse(await read(request));
      if (fault.rotate) await make();
      return response.end("{}");
    }
    if (fault.down) return response.writeHead(503).end();
    if (request.url.startsWith("/interaction/")) return interact(request, response);
    const spoilt = fault.claims || fault.sign;
    if (request.url === "/token" && spoilt && !request.headers["x-honest"]) return spoil(request, response);
    return handle(request, response);
  });
  console.log(issuer);
  process.stdin.resume().on("end", () => process.exit());
};

run();
