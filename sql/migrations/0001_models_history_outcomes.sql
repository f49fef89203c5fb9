-- Models, prompt history and the ledger of outcomes. Forward-only: a migration that was applied is never edited, its checksum is
-- recorded and compared at every start.

-- One row: tells this database from another one with equal contents, so that an ETag never matches a rebuilt database.
CREATE TABLE database_identity (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    seeded_at timestamptz
);
INSERT INTO database_identity DEFAULT VALUES;

-- Versions come from one sequence over all rows. So with an equal number of rows their sum only ever grows: a row that was
-- replaced by another one changes the list's ETag, which counting from 1 in each row would not guarantee.
CREATE SEQUENCE ai_model_version;

CREATE TABLE ai_models (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(100) NOT NULL CONSTRAINT ai_models_name_key UNIQUE CHECK (name <> '' AND name <> 'auto'),
    provider varchar(100) NOT NULL CHECK (provider <> ''),
    endpoint text NOT NULL DEFAULT '',
    upstream_model text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    context_window bigint CHECK (context_window > 0),
    capabilities text[],
    input_price_per_million numeric CHECK (input_price_per_million >= 0),
    output_price_per_million numeric CHECK (output_price_per_million >= 0),
    api_key_ciphertext bytea,
    api_key_key_id text,

    -- Exact sums; what is shown (score, average, error rate) is computed from them by core/rating.
    total_requests bigint NOT NULL DEFAULT 0,
    successful_requests bigint NOT NULL DEFAULT 0,
    failed_requests bigint NOT NULL DEFAULT 0,
    timed_requests bigint NOT NULL DEFAULT 0,
    response_time_sum_us bigint NOT NULL DEFAULT 0,
    CONSTRAINT ai_models_counters_add_up CHECK (total_requests = successful_requests + failed_requests),

    last_check_at timestamptz,
    last_success_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 0
);
CREATE INDEX idx_active_models ON ai_models (is_active, name);

-- A trigger and not the statements, so that a change by hand is seen by the catalogues too.
CREATE FUNCTION ai_models_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := nextval('ai_model_version');
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER ai_models_touch BEFORE INSERT OR UPDATE ON ai_models FOR EACH ROW EXECUTE FUNCTION ai_models_touch();

-- No foreign key to ai_models: rows outlive their model and keep its id and name, and storing one never waits for a batch that
-- holds the model's lock.
CREATE TABLE prompt_history (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    request_id text,
    key_id text,
    user_id text,
    user_telegram_id bigint,
    username varchar(100),
    prompt_text text NOT NULL,
    response_text text,
    ai_model_id uuid,
    model_name text,
    processing_duration_ms bigint,
    status varchar(20) NOT NULL CHECK (status IN ('success', 'error', 'timeout', 'cancelled')),
    error_message text,
    prompt_tokens bigint,
    completion_tokens bigint,
    attempts jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- Newest first, with the id as the tie-breaker that makes a cursor unique.
CREATE INDEX idx_history_newest ON prompt_history (created_at DESC, id DESC);
CREATE INDEX idx_user_history ON prompt_history (user_telegram_id, created_at DESC) WHERE user_telegram_id IS NOT NULL;
CREATE INDEX idx_user_id_history ON prompt_history (user_id, created_at DESC, id DESC) WHERE user_id IS NOT NULL;
CREATE INDEX idx_key_history ON prompt_history (key_id, created_at DESC, id DESC) WHERE key_id IS NOT NULL;
CREATE INDEX idx_model_usage ON prompt_history (ai_model_id, created_at DESC, id DESC);
CREATE INDEX idx_status ON prompt_history (status, created_at DESC, id DESC);

-- One row an attempt or probe. Ids are UUIDv7, so that ranges of ids are days, and the key stays unique over all partitions.
CREATE TABLE request_outcomes (
    id uuid PRIMARY KEY,
    request_id text,
    model_id uuid NOT NULL,
    provider varchar(100),
    outcome varchar(32) NOT NULL,
    counts boolean NOT NULL,
    response_time_us bigint,
    first_content_ms bigint,
    prompt_tokens bigint,
    completion_tokens bigint,
    cost numeric,
    source varchar(8) NOT NULL CHECK (source IN ('prompt', 'probe')),
    occurred_at timestamptz NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX request_outcomes_by_model ON request_outcomes (model_id, occurred_at);
-- Ids that are not version 7, and days that have no partition yet.
CREATE TABLE request_outcomes_default PARTITION OF request_outcomes DEFAULT;

-- The smallest UUIDv7 of a day (UTC).
CREATE FUNCTION first_id_of_day(day date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-0000-0000-000000000000')::uuid
    FROM (SELECT lpad(to_hex((day - DATE '1970-01-01')::bigint * 86400000), 12, '0') AS h) AS hex
$$;

-- Makes the day's partition unless it is there; true when it was made. Rows of that day that already went to the default
-- partition (a sender whose clock is ahead) move over; without that PostgreSQL would refuse the new partition.
CREATE FUNCTION ensure_outcome_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    partition_name text := 'request_outcomes_' || to_char(day, 'YYYYMMDD');
    low uuid := first_id_of_day(day);
    high uuid := first_id_of_day(day + 1);
BEGIN
    IF to_regclass(partition_name) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE request_outcomes_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE request_outcomes INCLUDING ALL)', partition_name);
    EXECUTE format('INSERT INTO %I SELECT * FROM request_outcomes_default WHERE id >= $1 AND id < $2', partition_name) USING low, high;
    DELETE FROM request_outcomes_default WHERE id >= low AND id < high;
    EXECUTE format('ALTER TABLE request_outcomes ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition_name, low, high);
    RETURN true;
END
$$;

-- The smallest id of the oldest day that is kept: who sends an older version 7 id cannot be checked for repetition any more.
CREATE FUNCTION oldest_outcome_id() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT first_id_of_day(to_date(min(right(c.relname, 8)), 'YYYYMMDD'))
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'request_outcomes'::regclass AND c.relname ~ '^request_outcomes_[0-9]{8}$'
$$;
