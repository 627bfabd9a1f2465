-- What a MiniApp has registered as a client of unified authentication: its id is the client id.
CREATE TABLE oidc_client (
    mini_app_id               TEXT PRIMARY KEY REFERENCES mini_app (id),
    redirect_uris             JSONB NOT NULL,
    post_logout_redirect_uris JSONB NOT NULL,
    changed_by                TEXT NOT NULL,
    changed_at                BIGINT NOT NULL
);

-- What the browser of a user has with this host. The browser keeps a secret of 160 random bits; only its SHA-256 is here.
CREATE TABLE sign_on (
    id            TEXT PRIMARY KEY,
    secret_sha256 TEXT NOT NULL UNIQUE,
    host_app_id   TEXT NOT NULL REFERENCES host_app (id),
    account       TEXT NOT NULL,
    signed_on_at  BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX sign_on_account ON sign_on (host_app_id, account);
CREATE INDEX sign_on_expiry ON sign_on (expires_at);

-- A code that was exchanged stays as long as the token that it gave, so that a second use of it is noticed. Sign-ons may
-- be gone before: what came from one is deleted where it is ended, and lives on where it has only expired.
CREATE TABLE oidc_code (
    code_sha256    TEXT PRIMARY KEY,
    mini_app_id    TEXT NOT NULL REFERENCES mini_app (id),
    host_app_id    TEXT NOT NULL REFERENCES host_app (id),
    account        TEXT NOT NULL,
    sign_on_id     TEXT NOT NULL,
    signed_on_at   BIGINT NOT NULL,
    redirect_uri   TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    nonce          TEXT,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT
);
CREATE INDEX oidc_code_account ON oidc_code (host_app_id, account);
CREATE INDEX oidc_code_sign_on ON oidc_code (sign_on_id);
CREATE INDEX oidc_code_expiry ON oidc_code (expires_at);

-- generation: that of the AppSecret for which the token was given; a reset and a freeze raise it, which ends the token.
CREATE TABLE oidc_token (
    token_sha256 TEXT PRIMARY KEY,
    code_sha256  TEXT NOT NULL,
    mini_app_id  TEXT NOT NULL REFERENCES mini_app (id),
    host_app_id  TEXT NOT NULL REFERENCES host_app (id),
    account      TEXT NOT NULL,
    sign_on_id   TEXT NOT NULL,
    generation   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX oidc_token_code ON oidc_token (code_sha256);
CREATE INDEX oidc_token_account ON oidc_token (host_app_id, account);
CREATE INDEX oidc_token_sign_on ON oidc_token (sign_on_id);
CREATE INDEX oidc_token_expiry ON oidc_token (expires_at);

-- The keys that sign ID tokens. The one without an end signs; former ones are served until their end.
CREATE TABLE oidc_key (
    kid        TEXT PRIMARY KEY,
    key_sealed TEXT NOT NULL,
    made_at    BIGINT NOT NULL,
    ends_at    BIGINT
);
CREATE UNIQUE INDEX oidc_key_signs ON oidc_key ((ends_at IS NULL)) WHERE ends_at IS NULL;
