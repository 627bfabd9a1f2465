-- What is masked in real-time logs: of the whole host (scope 'platform' with the empty id), or of one MiniApp. The logs
-- themselves are not in this database.
CREATE TABLE log_mask (
    scope    TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    rules    JSONB NOT NULL,
    set_by   TEXT NOT NULL,
    set_at   BIGINT NOT NULL,
    PRIMARY KEY (scope, scope_id)
);
