-- Requests by which somebody changed something, or was refused. actor: an account, or `berth` for a command on the host's own
-- machine. refused: the type of the refusal, NULL for what was done. Nothing refers to other tables: the log outlives them.
CREATE TABLE act (
    id         TEXT PRIMARY KEY,
    at         BIGINT NOT NULL,
    actor      TEXT NOT NULL,
    token_id   TEXT,
    operation  TEXT NOT NULL,
    method     TEXT NOT NULL,
    path       TEXT NOT NULL,
    address    TEXT,
    agent      TEXT,
    request_id TEXT,
    refused    TEXT
);
CREATE INDEX act_actor ON act (actor, id);
CREATE INDEX act_operation ON act (operation, id);
CREATE INDEX act_address ON act (address, id);

-- What acts were about.
CREATE TABLE act_place (
    kind     TEXT NOT NULL,
    place_id TEXT NOT NULL,
    act_id   TEXT NOT NULL,
    PRIMARY KEY (kind, place_id, act_id)
);
CREATE INDEX act_place_act ON act_place (act_id);

-- The act that an event is a part of; NULL when nobody's request made it happen. was: what `data` would have said before the change.
ALTER TABLE event ADD COLUMN act_id TEXT;
ALTER TABLE event ADD COLUMN was JSONB;
CREATE INDEX event_act ON event (act_id) WHERE act_id IS NOT NULL;
