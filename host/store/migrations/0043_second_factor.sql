-- The second factor of an account. secret_sealed: the key that it shares with the app of the person, in Base32. confirmed_at: NULL
-- until a code has shown that the app has the key; it asks for nothing until then. used_step: the last step of 30 seconds
-- whose code was used; earlier ones are of no use any more.
CREATE TABLE second_factor (
    account_id    TEXT PRIMARY KEY REFERENCES account (id),
    secret_sealed TEXT NOT NULL,
    confirmed_at  BIGINT,
    used_step     BIGINT NOT NULL
);

-- What gets in without the app, once each: a code is deleted when it is used. A code has 80 random bits, so its SHA-256 is enough.
CREATE TABLE recovery_code (
    account_id  TEXT NOT NULL REFERENCES second_factor (account_id) ON DELETE CASCADE,
    code_sha256 TEXT NOT NULL,
    PRIMARY KEY (account_id, code_sha256)
);
