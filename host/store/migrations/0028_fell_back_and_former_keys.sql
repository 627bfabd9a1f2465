-- When a gray task stopped offering its version to a device, since the version failed there too often. Each device is noted
-- once. What fell back earlier is noted with its next failure.
ALTER TABLE admission ADD COLUMN fell_back_at BIGINT;

-- fell_back counts the rows of admission that have a fell_back_at; both change in one transaction that holds this row.
ALTER TABLE gray_task ADD COLUMN fell_back BIGINT NOT NULL DEFAULT 0;
