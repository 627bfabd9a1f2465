-- What the makers of a policy say of it in sections of its wasm: authors, licences, source and the like.
ALTER TABLE policy ADD COLUMN metadata JSONB NOT NULL DEFAULT '{}';
