-- Authorising channels (E10), and the accounts for which WeChat lets us act.

-- Our third-party platform itself, and every merchant's account that authorised it. Columns named *_sealed hold sealed
-- secrets: grant_sealed is what an access token is had with (the platform's verify ticket, an account's refresh token).
-- granted_at is WeChat's time of the grant. One host at a time, by the lease, asks for a new access token.
CREATE TABLE wechat_account (
    app_id            TEXT PRIMARY KEY,
    state             TEXT NOT NULL,
    grant_sealed      TEXT,
    granted_at        BIGINT NOT NULL,
    access_sealed     TEXT,
    access_expires_at BIGINT NOT NULL,
    scopes            JSONB NOT NULL,
    attempts          BIGINT NOT NULL,
    retry_at          BIGINT NOT NULL,
    lease_owner       TEXT,
    lease_until       BIGINT NOT NULL
);
CREATE INDEX wechat_account_expiry ON wechat_account (state, access_expires_at);

-- One run of authorising a channel. stage is the state with its data. link_hash, pre_auth_hash and code_hash are SHA-256 of
-- what comes back from WeChat: the state of our link, the pre-authorisation code, the authorisation code. A code belongs
-- to one run at the most. due_at is when a host should look at it next. revision is for compare-and-set.
CREATE TABLE channel_authorisation (
    id            TEXT PRIMARY KEY,
    merchant_id   TEXT NOT NULL REFERENCES merchant (id),
    kind          TEXT NOT NULL,
    state         TEXT NOT NULL,
    stage         JSONB NOT NULL,
    target        JSONB,
    vouched       JSONB,
    link_sealed   TEXT,
    link_hash     TEXT UNIQUE,
    pre_auth_hash TEXT UNIQUE,
    code_sealed   TEXT,
    code_hash     TEXT UNIQUE,
    started_by    TEXT NOT NULL,
    started_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL,
    expires_at    BIGINT,
    due_at        BIGINT,
    attempts      BIGINT NOT NULL,
    trouble       TEXT,
    revision      BIGINT NOT NULL,
    lease_owner   TEXT,
    lease_until   BIGINT NOT NULL
);
CREATE INDEX channel_authorisation_merchant ON channel_authorisation (merchant_id, id);
CREATE INDEX channel_authorisation_due ON channel_authorisation (due_at);
