-- Since when nobody can use the account; NULL when it can be used.
ALTER TABLE account ADD COLUMN disabled_at BIGINT;

-- How people sign in. sign_in_name: in lower case and NFKC, so that names are unique however they are typed. hash: of the
-- password, by argon2id with its parameters and its salt, as a PHC string.
CREATE TABLE password (
    account_id   TEXT PRIMARY KEY REFERENCES account (id),
    sign_in_name TEXT NOT NULL UNIQUE,
    hash         TEXT NOT NULL,
    changed_at   BIGINT NOT NULL
);

-- What makes a token a session. from_token_id: the API token that it was started by, with which it ends. idle_seconds: for how
-- long it may rest.
CREATE TABLE session (
    token_id      TEXT PRIMARY KEY REFERENCES token (id) ON DELETE CASCADE,
    from_token_id TEXT REFERENCES token (id),
    seen_at       BIGINT NOT NULL,
    idle_seconds  BIGINT NOT NULL,
    address       TEXT,
    agent         TEXT
);

-- The code has 160 random bits, so its SHA-256 is enough; it is never stored. is_known: whether the account was there before.
-- The role is given when the invitation is accepted.
CREATE TABLE invitation (
    id          TEXT PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES account (id),
    code_sha256 TEXT NOT NULL UNIQUE,
    is_known    BOOLEAN NOT NULL,
    scope_kind  TEXT,
    scope_id    TEXT,
    role        TEXT,
    issued_by   TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    used_at     BIGINT
);
CREATE INDEX invitation_account ON invitation (account_id);
CREATE INDEX invitation_issuer ON invitation (issued_by);
CREATE INDEX invitation_expiry ON invitation (expires_at);
