-- What receivers of webhooks answered lately, for whoever looks. Nothing decides by it, and it is forgotten after a while. It refers
-- to no webhook and no event, which may be gone before it is written.
CREATE TABLE webhook_attempt (
    id         TEXT PRIMARY KEY,
    webhook_id TEXT NOT NULL,
    seq        BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    status     BIGINT,
    millis     BIGINT NOT NULL,
    error      TEXT NOT NULL
);
CREATE INDEX webhook_attempt_webhook ON webhook_attempt (webhook_id, id);
CREATE INDEX webhook_attempt_event ON webhook_attempt (webhook_id, seq, id);
CREATE INDEX webhook_attempt_at ON webhook_attempt (at);
