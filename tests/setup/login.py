#!/usr/bin/env python3
"""A login to try Berth with: that of a shop, or of an organisation. Nobody needs a password, so it is for trying only.

login.py PORT CLIENT_ID CLIENT_SECRET   serves OpenID Connect and OAuth 2.0 at http://127.0.0.1:PORT until it is ended

It asks who you are and believes it; whom the header x-person names is not asked. It signs by openssl.
"""
import base64, html, json, secrets, subprocess, sys, tempfile, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

PORT, CLIENT, SECRET = sys.argv[1:]
ISSUER = f"http://127.0.0.1:{PORT}"
FOLDER = tempfile.TemporaryDirectory()
KEY = f"{FOLDER.name}/key.pem"
CODES, PEOPLE = {}, {}  # by code: who has logged in, and the nonce; by access token: who


def openssl(*arguments, given=b""):
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def text(data):
    """Base64 as JSON web tokens have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key():
    modulus = openssl("rsa", "-in", KEY, "-noout", "-modulus").decode().strip().split("=")[1]
    return {"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "e": "AQAB", "n": text(bytes.fromhex(modulus))}


def id_token(person, nonce):
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": person, "aud": CLIENT, "iat": now, "exp": now + 600, "auth_time": now,
              "preferred_username": person, "nonce": nonce}
    said = ".".join(text(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "1"}, claims))
    return f"{said}.{text(openssl('dgst', '-sha256', '-sign', KEY, given=said.encode()))}"


def metadata():
    at = {"authorization_endpoint": "authorize", "token_endpoint": "token", "userinfo_endpoint": "me", "jwks_uri": "jwks"}
    return {"issuer": ISSUER, **{name: f"{ISSUER}/{path}" for name, path in at.items()}, "response_types_supported": ["code"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]}


class Login(BaseHTTPRequestHandler):
    def answer(self, said, status=200):
        is_page = isinstance(said, str)
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8" if is_page else "application/json")
        self.end_headers()
        self.wfile.write((said if is_page else json.dumps(said)).encode())

    def authorize(self, asked):
        person = self.headers.get("x-person") or asked.pop("person", "").strip()
        if not person:
            kept = [f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">' for name, value in asked.items()]
            return self.answer(f"<form>{''.join(kept)}<label>Who are you? <input name=person></label> <button>Log in</button></form>")
        code = secrets.token_urlsafe()
        CODES[code] = person, asked.get("nonce")
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")
        self.end_headers()

    def do_GET(self):
        at = urlsplit(self.path)
        if at.path == "/authorize":
            return self.authorize(dict(parse_qsl(at.query)))
        if at.path == "/me":
            person = PEOPLE.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
            said = {"sub": person, "preferred_username": person, "data": {"id": person}}
            return self.answer(said if person else {"error": "invalid_token"}, 200 if person else 401)
        said = {"/.well-known/openid-configuration": metadata, "/jwks": lambda: {"keys": [key()]}}.get(at.path)
        self.answer(said() if said else {"error": "not found"}, 200 if said else 404)

    def do_POST(self):
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") != basic and (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return self.answer({"error": "invalid_client"}, 401)
        if form.get("code") not in CODES:
            return self.answer({"error": "invalid_grant"}, 400)
        person, nonce = CODES.pop(form["code"])
        token = secrets.token_urlsafe()
        PEOPLE[token] = person
        self.answer({"access_token": token, "token_type": "Bearer", "expires_in": 600, "id_token": id_token(person, nonce)})

    def log_message(self, *_):
        pass


openssl("genrsa", "-out", KEY, "2048")
ThreadingHTTPServer(("127.0.0.1", int(PORT)), Login).serve_forever()
