-- A login code for a member is good in one browser alone: that which was sent to the sign-in page. Codes of before, which live for
-- five minutes, are for none.
ALTER TABLE member_login_code ADD COLUMN browser_sha256 TEXT;

-- When each team had its last turn of its guards, as audit_turn has it of audits.
CREATE TABLE guard_turn (
    team_id TEXT PRIMARY KEY REFERENCES team (id),
    turn    BIGINT NOT NULL
);

-- Whether the MiniApp is told the union ids of its users.
ALTER TABLE mini_app ADD COLUMN union_ids BOOLEAN NOT NULL DEFAULT FALSE;
