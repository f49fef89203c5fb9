-- The callers' keys. Only the SHA-256 of a secret is kept, and its first characters, so that people can tell keys apart.

-- As with the models: one sequence over all rows, so that count and sum of the versions never repeat.
CREATE SEQUENCE api_key_version;

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    name varchar(100) NOT NULL CHECK (name <> ''),
    hash bytea NOT NULL CONSTRAINT api_keys_hash_key UNIQUE CHECK (octet_length(hash) = 32),
    prefix varchar(16) NOT NULL,
    scopes text[] NOT NULL,
    expires_at timestamptz,
    rate_limit_per_minute integer CHECK (rate_limit_per_minute >= 0),
    -- The secret before the last rotation, as long as it is still good.
    previous_hash bytea CHECK (octet_length(previous_hash) = 32),
    previous_valid_until timestamptz,
    CONSTRAINT api_keys_previous_has_an_end CHECK ((previous_hash IS NULL) = (previous_valid_until IS NULL)),
    last_used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    rotated_at timestamptz,
    revoked_at timestamptz,
    version bigint NOT NULL DEFAULT 0
);
-- A name is free again when its key is revoked.
CREATE UNIQUE INDEX api_keys_name_key ON api_keys (name) WHERE revoked_at IS NULL;

-- All but last_used_at: being used changes nothing for those who check keys.
CREATE FUNCTION api_keys_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := nextval('api_key_version');
    RETURN NEW;
END
$$;
CREATE TRIGGER api_keys_touch BEFORE INSERT OR UPDATE OF name, hash, prefix, scopes, expires_at, rate_limit_per_minute,
    previous_hash, previous_valid_until, rotated_at, revoked_at ON api_keys FOR EACH ROW EXECUTE FUNCTION api_keys_touch();
