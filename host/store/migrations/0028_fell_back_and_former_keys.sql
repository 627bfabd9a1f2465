-- When a gray task stopped offering its version to a device, since the version failed there too often. Each device is noted
-- once. What fell back earlier is noted with its next failure.
ALTER TABLE admission ADD COLUMN fell_back_at BIGINT;

-- fell_back counts the rows of admission that have a fell_back_at; both change in one transaction that holds this row.
ALTER TABLE gray_task ADD COLUMN fell_back BIGINT NOT NULL DEFAULT 0;

-- The public keys of host apps that another one has replaced. They name no other host app for ever; devices that send one
-- are refused from ends_at on.
CREATE TABLE former_key (
    public_key  TEXT PRIMARY KEY,
    host_app_id TEXT NOT NULL REFERENCES host_app (id),
    replaced_at BIGINT NOT NULL,
    replaced_by TEXT NOT NULL,
    ends_at     BIGINT NOT NULL
);
CREATE INDEX former_key_host_app ON former_key (host_app_id, replaced_at);
