-- The message templates of MiniApps: public ones, with the numbers of the chosen keywords in their order, such as '2,1'.
CREATE TABLE message_template (
    id          TEXT PRIMARY KEY,
    mini_app_id TEXT NOT NULL REFERENCES mini_app (id),
    template    TEXT NOT NULL,
    keywords    TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    UNIQUE (mini_app_id, template, keywords)
);

-- What users have allowed. allowed: the consents that are left, or of a long-term template 1 while it holds. day: the last
-- day of the user (days since 1970, by utc_offset in minutes) on which a message went out, and pushes how many did.
CREATE TABLE subscription (
    template_id    TEXT NOT NULL REFERENCES message_template (id) ON DELETE CASCADE,
    open_id_sha256 TEXT NOT NULL REFERENCES mini_app_user (open_id_sha256),
    allowed        BIGINT NOT NULL,
    day            BIGINT NOT NULL,
    pushes         BIGINT NOT NULL,
    utc_offset     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    PRIMARY KEY (template_id, open_id_sha256)
);
CREATE INDEX subscription_user ON subscription (open_id_sha256);

-- Messages, without what they say. A send with an Idempotency-Key is one row for ever, whatever becomes of its answer.
CREATE TABLE message (
    id             TEXT PRIMARY KEY,
    mini_app_id    TEXT NOT NULL REFERENCES mini_app (id),
    host_app_id    TEXT NOT NULL REFERENCES host_app (id),
    template_id    TEXT NOT NULL,
    open_id_sha256 TEXT NOT NULL,
    state          TEXT NOT NULL,
    reason         TEXT NOT NULL,
    sent_at        BIGINT NOT NULL,
    shown_at       BIGINT,
    opened_at      BIGINT,
    refused_at     BIGINT,
    send_key       TEXT,
    fingerprint    TEXT NOT NULL,
    UNIQUE (mini_app_id, send_key)
);
CREATE INDEX message_mini_app ON message (mini_app_id, id);
CREATE INDEX message_sent_at ON message (sent_at);
