-- Events delivered to the outside.

-- url may carry a secret of the receiver, so it is told only to members of the scope.
CREATE TABLE webhook (
    id           TEXT PRIMARY KEY,
    scope_kind   TEXT NOT NULL,
    scope_id     TEXT NOT NULL,
    url          TEXT NOT NULL,
    types        JSONB NOT NULL,
    description  TEXT NOT NULL,
    enabled      BOOLEAN NOT NULL,
    disabled_why TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE INDEX webhook_scope ON webhook (scope_kind, scope_id, id);

-- What a webhook's messages are signed with: one secret without an end, and after a rotation older ones for a while.
CREATE TABLE webhook_secret (
    id            TEXT PRIMARY KEY,
    webhook_id    TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    secret_sealed TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    ends_at       BIGINT
);
CREATE UNIQUE INDEX webhook_secret_one_current ON webhook_secret (webhook_id) WHERE ends_at IS NULL;
CREATE INDEX webhook_secret_webhook ON webhook_secret (webhook_id, id);

-- How far a webhook is: every event up to seq is delivered, not wanted, or a row of webhook_delivery. Narrow and apart from
-- webhook, because many are written together many times a second. One host holds the lease and delivers.
-- replay_after: somebody wants everything after it again; whoever takes the lease next sees to it.
CREATE TABLE webhook_cursor (
    webhook_id   TEXT PRIMARY KEY REFERENCES webhook (id) ON DELETE CASCADE,
    seq          BIGINT NOT NULL,
    replay_after BIGINT,
    lease_owner  TEXT,
    lease_until  BIGINT NOT NULL
);
CREATE INDEX webhook_cursor_lease ON webhook_cursor (lease_owner);

-- What could not be delivered at once. state: waiting | dead. A row that waits holds back the later events of its subject,
-- which become rows behind it.
CREATE TABLE webhook_delivery (
    webhook_id TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    seq        BIGINT NOT NULL,
    subject    TEXT NOT NULL,
    state      TEXT NOT NULL,
    attempts   BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    status     BIGINT,
    error      TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (webhook_id, seq)
);
CREATE INDEX webhook_delivery_state ON webhook_delivery (webhook_id, state, seq);

-- How far a relay of the whole event log is, such as the one to NATS. One host holds the lease and publishes.
CREATE TABLE event_relay (
    name        TEXT PRIMARY KEY,
    seq         BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL
);
