-- Who signs policies by a certificate in place of a key; pem is empty then.
ALTER TABLE trusted_key ADD COLUMN identity JSONB;
