-- The binding under which a policy was asked, so that what one binding has said can be summed up. It is NULL of older
-- evaluations whose policy is bound nowhere for their audit any more, or by several bindings, of which nothing tells which it was.
ALTER TABLE evaluation ADD COLUMN binding_id TEXT;
UPDATE evaluation SET binding_id = (
    SELECT CASE WHEN count(*) = 1 THEN min(b.id) END FROM policy_binding b JOIN audit a ON a.id = evaluation.audit_id
    WHERE b.digest = evaluation.digest AND (
        b.scope_kind = 'platform' OR b.scope_kind = 'mini_app' AND b.scope_id = a.mini_app_id
        OR b.scope_kind = 'host_app'
            AND EXISTS (SELECT 1 FROM audit_item i WHERE i.audit_id = a.id AND i.host_app_id = b.scope_id)
    )
);
CREATE INDEX evaluation_binding ON evaluation (binding_id, audit_id);
