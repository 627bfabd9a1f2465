// A MiniApp's server, by the library openid-client: logs a user in, by a browser that this script is too.
// With `held` it asks nothing of a browser, but tries the tokens that a login has given.
// stdin: {issuer, client_id, secret, method?, redirect_uri, browser?, login_code?, authorize?, verifier?, nonce?, tolerance?, logout?, refresh?, held?}
//   method: "basic" (when absent) or "post"   browser: the cookie   authorize: more parameters, such as max_age
//   login_code: which a host app has the browser bring in a header
//   refresh: whether to get other tokens then   held: {access_token, refresh_token?, sub}
//   verifier, nonce: in place of the right ones   tolerance: seconds by which clocks may differ   logout: where to go after it
// stdout: {claims, user, browser, callback, access_token, refresh_token, refreshed, logout} or {failed: {error, description, code, status}}
const { pathToFileURL } = require("url");
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));

// The browser: one step, with the cookie that it has, and the new one.
const visit = async (url, cookie, login_code) => {
  const headers = { ...(cookie && { cookie }), ...(login_code && { "x-login-code": login_code }) };
  const answer = await fetch(url, { redirect: "manual", headers });
  const set = answer.headers.get("set-cookie");
  return { status: answer.status, to: answer.headers.get("location"), cookie: set ? set.split(";")[0] : cookie };
};

const run = async () => {
  const client = await import(pathToFileURL(require.resolve("openid-client")));
  const proof = asked.method === "post" ? client.ClientSecretPost(asked.secret) : client.ClientSecretBasic(asked.secret);
  const metadata = asked.tolerance === undefined ? {} : { [client.clockTolerance]: asked.tolerance };
  const insecure = { execute: [client.allowInsecureRequests] };
  const config = await client.discovery(new URL(asked.issuer), asked.client_id, metadata, proof, insecure);
  client.enableNonRepudiationChecks(config); // verifies the signature by the JWKS
  if (asked.held) {
    const { access_token, refresh_token, sub } = asked.held;
    const tried = (work) => work.then((good) => ({ good }), ({ error, code, status }) => ({ error, code, status }));
    return {
      user: await tried(client.fetchUserInfo(config, access_token, sub)),
      refresh: refresh_token && (await tried(client.refreshTokenGrant(config, refresh_token))),
    };
  }
  const verifier = client.randomPKCECodeVerifier();
  const expected = { state: client.randomState(), nonce: client.randomNonce() };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: asked.redirect_uri,
    scope: "openid",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...expected,
    ...asked.authorize,
  });
  const back = await visit(url, asked.browser, asked.login_code);
  if (!back.to) return { failed: { error: "page", status: back.status } };
  const tokens = await client.authorizationCodeGrant(config, new URL(back.to), {
    pkceCodeVerifier: asked.verifier ?? verifier,
    expectedState: expected.state,
    expectedNonce: asked.nonce ?? expected.nonce,
    idTokenExpected: true,
    ...(asked.authorize?.max_age === undefined ? {} : { maxAge: Number(asked.authorize.max_age) }),
  });
  const claims = tokens.claims();
  const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  const said = { claims, user, browser: back.cookie, callback: back.to, access_token: tokens.access_token };
  said.refresh_token = tokens.refresh_token;
  if (asked.refresh) {
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
    const again = await client.fetchUserInfo(config, refreshed.access_token, claims.sub);
    const { access_token, refresh_token } = refreshed;
    said.refreshed = { claims: refreshed.claims(), user: again, access_token, refresh_token };
  }
  if (asked.logout) {
    const out = { id_token_hint: tokens.id_token, post_logout_redirect_uri: asked.logout, state: "bye" };
    said.logout = await visit(client.buildEndSessionUrl(config, out), back.cookie);
  }
  return said;
};

run().then(
  (said) => console.log(JSON.stringify(said)),
  (failed) => {
    const { error, error_description: description, code, status } = failed;
    console.log(JSON.stringify({ failed: { error, description, code, status, message: failed.message } }));
  },
);
