-- The binding under which a policy was asked, so that what one binding has said can be summed up. It is NULL of older
-- evaluations whose policy is bound nowhere any more, or in several places, of which nothing tells which it was.
ALTER TABLE evaluation ADD COLUMN binding_id TEXT;
UPDATE evaluation SET binding_id = (
    SELECT CASE WHEN count(*) = 1 THEN min(b.id) END FROM policy_binding b
    WHERE b.digest = evaluation.digest AND b.scope_kind <> 'gray_task'
);
CREATE INDEX evaluation_binding ON evaluation (binding_id, audit_id);
