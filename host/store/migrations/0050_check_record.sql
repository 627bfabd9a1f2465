-- The record of the devices that ask for a MiniApp, at most one. share: of the devices, in hundredths of a percent. salt: of the key
-- with which stand-ins of guids are made; NULL once the record has ended, so that nobody can make them again. checks: how many were
-- recorded.
CREATE TABLE check_record (
    mini_app_id TEXT PRIMARY KEY REFERENCES mini_app (id),
    share       BIGINT NOT NULL,
    attributes  JSONB NOT NULL,
    lists       JSONB NOT NULL,
    salt        TEXT,
    started_at  BIGINT NOT NULL,
    started_by  TEXT NOT NULL,
    ends_at     BIGINT NOT NULL,
    checks      BIGINT NOT NULL
);

-- What is recorded of the devices, each as it asked last.
CREATE TABLE recorded_device (
    mini_app_id TEXT NOT NULL REFERENCES check_record (mini_app_id) ON DELETE CASCADE,
    stand_in    TEXT NOT NULL,
    asked_at    BIGINT NOT NULL,
    device      JSONB NOT NULL,
    PRIMARY KEY (mini_app_id, stand_in)
);
CREATE INDEX recorded_device_age ON recorded_device (mini_app_id, asked_at, stand_in);
