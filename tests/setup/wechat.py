#!/usr/bin/env python3
"""WeChat to try official accounts of Berth with: silent OAuth and template messages, for accounts that are made up.

wechat.py PORT APP_ID=SECRET…   serves these accounts at http://127.0.0.1:PORT until it is ended

It asks nobody, as WeChat does, and believes that the person is whom the header x-person names, who follows every account. The template of
an account is called tmpl- and the last letter of its app id.
"""
import hashlib, json, secrets, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

PORT, ACCOUNTS = int(sys.argv[1]), dict(account.split("=", 1) for account in sys.argv[2:])
VISITS, TOKENS = {}, {}  # by code: the account and the person; by access token: the account


class Refused(Exception):
    """A refusal with WeChat's number."""


def is_account(asked):
    if asked.get("appid") not in ACCOUNTS:
        raise Refused(40013)
    if asked.get("secret") != ACCOUNTS[asked["appid"]]:
        raise Refused(40125)
    return asked["appid"]


def visitor(asked):
    account = is_account(asked)
    of, person = VISITS.pop(asked.get("code"), (None, None))
    if of != account:
        raise Refused(40029)
    open_id = "o" + hashlib.sha256(f"{account} {person}".encode()).hexdigest()[:27]
    return {"access_token": secrets.token_hex(), "expires_in": 7200, "openid": open_id, "scope": "snsapi_base"}


def token(asked):
    account, fresh = is_account(asked), secrets.token_hex()
    TOKENS[fresh] = account
    return {"access_token": fresh, "expires_in": 7200}


def send(asked):
    account = TOKENS.get(asked.get("access_token"))
    if account is None:
        raise Refused(40001)
    if asked.get("template_id") != f"tmpl-{account[-1]}":
        raise Refused(40037)
    return {"errcode": 0, "errmsg": "ok", "msgid": secrets.randbelow(1 << 31)}


CALLS = {"/sns/oauth2/access_token": visitor, "/cgi-bin/stable_token": token, "/cgi-bin/message/template/send": send}


class Wechat(BaseHTTPRequestHandler):
    def do_GET(self):
        at, asked = self.asked()
        if at == "/connect/oauth2/authorize":
            code = secrets.token_urlsafe()
            VISITS[code] = asked["appid"], self.headers.get("x-person", "visitor")
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")
            return self.end_headers()
        self.answer(at, asked)

    def do_POST(self):
        at, asked = self.asked()
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(at, {**said, **asked})

    def asked(self):
        at = urlsplit(self.path)
        return at.path, dict(parse_qsl(at.query))

    def answer(self, at, asked):
        try:
            said = CALLS[at](asked) if at in CALLS else {"errcode": 404}
        except Refused as refused:
            said = {"errcode": refused.args[0], "errmsg": "refused"}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Wechat).serve_forever()
