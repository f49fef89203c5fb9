"""Fills the data API's tables with generated rows, spread evenly over the days before now, in the order of time as a gateway would have
written them. Users, models and keys are drawn with a bias, so that some are met by a great part of the rows and some by few."""
import os
import subprocess

# Up to here a row is as long as a short prompt's and has its outcome. Beyond, texts are a few words and outcomes stop, so that 10^8 rows
# fit into 60 GB: a page's index entries are the same, and what a model's stats read is bounded by days, not by rows.
FULL_ROWS = 10_000_000
LONG_TEXTS = ("'Question number ' || n || repeat(' of a caller', 5)", "repeat('An answer of a model. ', 6)")
SHORT_TEXTS = ("'Question ' || n", "'An answer.'")

SETTINGS = """
SET client_min_messages = warning;
SET synchronous_commit = off;
SET maintenance_work_mem = '512MB';
"""
# One expression, so that it is inlined: a UUIDv7 of that time, its other bits from a number.
ID_AT = """
CREATE FUNCTION pg_temp.id_at(at timestamptz, n bigint) RETURNS uuid LANGUAGE sql AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at)::float8 * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' ||
        substr(md5(n::text), 4, 15))::uuid
$$;
"""
EMPTY = """
TRUNCATE prompt_history, request_outcomes, outcome_slices;
DELETE FROM ai_models;
INSERT INTO ai_models (id, name, provider, upstream_model)
SELECT md5('model' || n)::uuid, 'model-' || n, 'mock', 'model-' || n FROM generate_series(0, {models} - 1) AS n;
SELECT count(ensure_outcome_partition((now() AT TIME ZONE 'UTC')::date + d)) FROM generate_series(-{days}, 7) AS d;
"""
DRAWN = """
FROM (SELECT n, now() - (1 - n::float8 / {rows}) * ({days} * interval '1 day') AS at, floor(10000 * random() ^ 3)::bigint AS u,
          floor({models} * random() ^ 3)::int AS m, random() AS r1, random() AS r2, random() AS r3
      FROM generate_series({first}, {last}) AS n) AS drawn
"""
HISTORY = """
INSERT INTO prompt_history (id, request_id, key_id, user_id, user_telegram_id, username, prompt_text, response_text, ai_model_id,
    model_name, processing_duration_ms, status, prompt_tokens, completion_tokens, attempts, created_at)
SELECT pg_temp.id_at(at, n), 'request-' || n, 'key-' || floor(20 * r1 ^ 3),
    CASE WHEN r2 < 0.9 THEN 'user-' || u ELSE 'telegram_' || u END, CASE WHEN r2 < 0.9 THEN NULL ELSE u END, NULL,
    {prompt}, {response}, md5('model' || m)::uuid, 'model-' || m,
    200 + n % 2000,
    CASE WHEN r3 < 0.95 THEN 'success' WHEN r3 < 0.98 THEN 'error' WHEN r3 < 0.999 THEN 'cancelled' ELSE 'timeout' END, 20, 40, '1', at
""" + DRAWN + ";"
OUTCOMES = """
INSERT INTO request_outcomes (id, request_id, model_id, provider, outcome, counts, response_time_us, first_content_ms, prompt_tokens,
    completion_tokens, cost, source, occurred_at)
SELECT pg_temp.id_at(at, n + 1000000000000), 'request-' || n, md5('model' || m)::uuid, 'mock',
    CASE WHEN r1 < 0.97 THEN 'success' ELSE 'rate_limited' END, true, 200000 + n % 2000000, 100, 20, 40, NULL, 'prompt', at
""" + DRAWN + ";"

SLICES = """
INSERT INTO outcome_slices (model_id, slice, outcomes)
SELECT model_id, outcome_slice(occurred_at), count(*) FROM request_outcomes WHERE occurred_at >= first_outcome_slice() GROUP BY 1, 2;
"""


def psql(url, sql):
    """What psql prints: rows as lines, columns separated by '|'."""
    done = subprocess.run(["psql", url, "-XAtq", "-v", "ON_ERROR_STOP=1"], input=sql, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"psql: {done.stderr.strip()}")
    return done.stdout.strip()


def side_by_side(url, scripts):
    """A connection for each script, as many at once as there are processors: more would only need more room for sorting."""
    waiting, running = list(scripts), []
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            process = subprocess.Popen(["psql", url, "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", "-"], stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            process.stdin.write(waiting.pop(0))
            process.stdin.close()
            process.stdin = None
            running.append(process)
        process = running.pop(0)
        _, error = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"psql: {error.strip()}")


def fill(url, rows, days, models):
    """Replaces what is there by `rows` history rows and as many outcomes, at most FULL_ROWS of these."""
    prompt, response = LONG_TEXTS if rows <= FULL_ROWS else SHORT_TEXTS
    facts = {"days": days, "models": models, "prompt": prompt, "response": response}
    psql(url, SETTINGS + EMPTY.format(**facts))
    # Indexes of a filled table are made at the end: much faster, and as compact as they are after a while of use.
    indexes = psql(url, "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'prompt_history'"
                        " AND indexname <> 'prompt_history_pkey'").splitlines()
    names = [line.split("|", 1)[0] for line in indexes]
    definitions = [line.split("|", 1)[1] for line in indexes]
    psql(url, "".join(f"DROP INDEX {name};" for name in names))
    side_by_side(url, [SETTINGS + ID_AT + text.format(first=first, last=last, rows=count, **facts)
                       for text, count in ((HISTORY, rows), (OUTCOMES, min(rows, FULL_ROWS)))
                       for first, last in ((1, count // 2), (count // 2 + 1, count))])
    side_by_side(url, [SETTINGS + definition + ";" for definition in definitions])
    psql(url, SETTINGS + SLICES)
    psql(url, SETTINGS + "VACUUM ANALYZE prompt_history; VACUUM ANALYZE request_outcomes; VACUUM ANALYZE outcome_slices; ANALYZE ai_models;")
