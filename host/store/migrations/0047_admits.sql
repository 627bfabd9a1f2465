-- What a gray task admits, as an expression over the names of its policies; NULL when all of them must admit a device.
ALTER TABLE gray_task ADD COLUMN admits JSONB;
-- The name that a gray task gives one of its policies; NULL for the policy's own.
ALTER TABLE policy_binding ADD COLUMN own_name TEXT;
