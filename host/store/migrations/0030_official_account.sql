-- Official accounts at WeChat. merchant_id is NULL for shared ones. through: secret (secret_sealed is there) | platform.
-- access_sealed: the access token that the secret gave, for all hosts.
CREATE TABLE official_account (
    app_id            TEXT PRIMARY KEY,
    name              TEXT NOT NULL,
    merchant_id       TEXT REFERENCES merchant (id),
    through           TEXT NOT NULL,
    state             TEXT NOT NULL,
    secret_sealed     TEXT,
    access_sealed     TEXT,
    access_expires_at BIGINT NOT NULL,
    created_by        TEXT NOT NULL,
    created_at        BIGINT NOT NULL
);
CREATE INDEX official_account_merchant ON official_account (merchant_id, app_id);

CREATE TABLE account_template (
    app_id      TEXT NOT NULL REFERENCES official_account (app_id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    template_id TEXT NOT NULL,
    PRIMARY KEY (app_id, name)
);

-- The move of a merchant from one account to another, which is the one that it prefers.
CREATE TABLE account_move (
    merchant_id TEXT PRIMARY KEY REFERENCES merchant (id),
    from_app_id TEXT NOT NULL REFERENCES official_account (app_id) ON DELETE CASCADE,
    to_app_id   TEXT NOT NULL REFERENCES official_account (app_id) ON DELETE CASCADE,
    moved_by    TEXT NOT NULL,
    moved_at    BIGINT NOT NULL
);
CREATE INDEX account_move_from ON account_move (from_app_id);
CREATE INDEX account_move_to ON account_move (to_app_id);

CREATE TABLE entry_page (
    merchant_id TEXT NOT NULL REFERENCES merchant (id),
    name        TEXT NOT NULL,
    url         TEXT NOT NULL,
    changed_by  TEXT NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, name)
);

-- Whom a merchant knows at an account. open_id_sha256 is of the OpenID that the merchant knows, open_id_sealed has WeChat's
-- own. member_id is NULL for a visitor who is bound to nobody, who is forgotten some time after seen_at.
CREATE TABLE fan (
    id             TEXT PRIMARY KEY,
    merchant_id    TEXT NOT NULL REFERENCES merchant (id),
    app_id         TEXT NOT NULL REFERENCES official_account (app_id) ON DELETE CASCADE,
    open_id_sha256 TEXT NOT NULL,
    open_id_sealed TEXT NOT NULL,
    member_id      TEXT,
    preferred      BOOLEAN NOT NULL,
    bound_at       BIGINT,
    seen_at        BIGINT NOT NULL,
    UNIQUE (merchant_id, app_id, open_id_sha256),
    UNIQUE (merchant_id, member_id, app_id)
);
CREATE INDEX fan_merchant ON fan (merchant_id, id);
CREATE INDEX fan_account ON fan (app_id);
CREATE INDEX fan_seen ON fan (seen_at) WHERE member_id IS NULL;

-- A visitor who was sent to WeChat. It is deleted when they come back, so that one of many wins. browser_sha256: of the
-- cookie of the browser. query: what the link had. along_fan_id: the fan that they are already; this visit only says
-- whose member they are at the account from which the merchant moves.
CREATE TABLE entry (
    state_sha256   TEXT PRIMARY KEY,
    browser_sha256 TEXT NOT NULL,
    app_id         TEXT NOT NULL REFERENCES official_account (app_id) ON DELETE CASCADE,
    merchant_id    TEXT NOT NULL REFERENCES merchant (id),
    page           TEXT NOT NULL,
    query          TEXT NOT NULL,
    along_fan_id   TEXT REFERENCES fan (id) ON DELETE CASCADE,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX entry_expiry ON entry (expires_at);
CREATE INDEX entry_account ON entry (app_id);
CREATE INDEX entry_along ON entry (along_fan_id);

-- The code of a visit is deleted by its exchange.
CREATE TABLE visit_code (
    code_sha256 TEXT PRIMARY KEY,
    fan_id      TEXT NOT NULL REFERENCES fan (id) ON DELETE CASCADE,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX visit_code_expiry ON visit_code (expires_at);
CREATE INDEX visit_code_fan ON visit_code (fan_id);

-- Template messages, without what they say. A send with an Idempotency-Key is one row for ever, whatever becomes of its
-- answer. sending becomes unknown when nobody has settled it after some time.
CREATE TABLE template_message (
    id          TEXT PRIMARY KEY,
    merchant_id TEXT NOT NULL REFERENCES merchant (id),
    member_id   TEXT NOT NULL,
    template    TEXT NOT NULL,
    state       TEXT NOT NULL,
    app_id      TEXT,
    wechat_id   TEXT,
    tried       JSONB NOT NULL,
    send_key    TEXT,
    fingerprint TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    settled_at  BIGINT,
    UNIQUE (merchant_id, send_key)
);
CREATE INDEX template_message_merchant ON template_message (merchant_id, id);
CREATE INDEX template_message_sending ON template_message (created_at) WHERE state = 'sending';
CREATE INDEX template_message_age ON template_message (created_at);
