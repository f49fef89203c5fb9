"""History rows and outcomes from ten thousand to ten millions: calls of the data API in milliseconds, and what they touch in PostgreSQL in
buffers of 8 KiB, which no other process on the machine can change."""
import base64
import datetime
import json
import random
import time
import uuid

from generated_rows import fill, psql
from stack import Client, milliseconds

DAYS, MODELS = 30, 100


def microseconds(seconds):
    return int(seconds * 1e6)


def cursor(days_ago):
    text = f"{microseconds(time.time() - days_ago * 86400)} 00000000-0000-7000-8000-000000000000"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def model_id(url, number):
    return psql(url, f"SELECT id FROM ai_models WHERE name = 'model-{number}'")


def calls(url):
    """Name -> path. Model 0, user 0 and key 0 are met by a great part of the rows, the last ones by few."""
    often, seldom = model_id(url, 0), model_id(url, MODELS - 1)
    deep = "&cursor=" + cursor(DAYS * 0.9)
    return {
        "newest page": "/history?limit=50",
        "page 27 days back": "/history?limit=50" + deep,
        "a user's newest": "/history?limit=50&user_id=user-0",
        "a key's newest": "/history?limit=50&key_id=key-0",
        "a key's, 27 days back": "/history?limit=50&key_id=key-0" + deep,
        "of a rare status": "/history?limit=50&status=timeout",
        "a key's of a rare status": "/history?limit=50&key_id=key-0&status=timeout",
        "a user's with a rare model": f"/history?limit=50&user_id=user-0&model_id={seldom}",
        "a user's, rare model and status": f"/history?limit=50&user_id=user-0&model_id={seldom}&status=timeout",
        "stats of a model": f"/models/{often}/stats",
        "stats of all models": "/models/stats",
    }


def buffers(url, call, times=10):
    """Buffers of one call, found or read, those of its statements alone."""
    call()  # the connection's caches
    psql(url, "SELECT pg_stat_statements_reset()")
    for _ in range(times):
        call()
    return round(float(psql(url, "SELECT coalesce(sum(shared_blks_hit + shared_blks_read), 0) FROM pg_stat_statements"
                                 " WHERE query !~ 'pg_stat_statements|^SELECT \\$1$|ensure_outcome_partition'")) / times)


def record_id(at):
    value = (int(at * 1000) << 80) | (7 << 76) | (random.getrandbits(12) << 64) | (2 << 62) | random.getrandbits(62)
    return str(uuid.UUID(int=value))


def batch(models, history=250, outcomes=250):
    at = time.time()
    stamp = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return json.dumps({
        "outcomes": [{"id": record_id(at), "request_id": "r", "model_id": random.choice(models), "provider": "mock", "outcome": "success",
                      "counts": True, "response_time_ms": 12, "source": "prompt", "occurred_at": stamp} for _ in range(outcomes)],
        "history": [{"id": record_id(at), "request_id": "r", "key_id": f"key-{random.randrange(20)}", "user_id": f"user-{random.randrange(10000)}",
                     "prompt_text": "Explain quantum computing in plain words. " * 4, "response_text": "An answer. " * 20,
                     "ai_model_id": random.choice(models), "processing_duration_ms": 12, "status": "success", "created_at": stamp}
                    for _ in range(history)]})


def post_batch(client, body):
    status, _, answer = client.call("POST", "/api/v1/ledger", body)
    if status != 200 or json.loads(answer)["applied"] != 500:
        raise RuntimeError(f"POST /ledger: {status} {answer[:300]!r}")


def measure(stack, url, rows):
    """Fills the tables and returns name -> (ms, buffers)."""
    fill(url, rows, DAYS, MODELS)
    client = Client(stack.data_port)
    results = {}
    for name, path in calls(url).items():
        results[name] = (milliseconds(lambda p=path: client.get(p), least=15, seconds=1.0), buffers(url, lambda p=path: client.get(p)))
    models = psql(url, "SELECT id FROM ai_models").splitlines()
    for _ in range(5):
        post_batch(client, batch(models))
    bodies = [batch(models) for _ in range(40)]
    results["500 ledger records"] = (milliseconds(lambda: post_batch(client, bodies.pop()), least=30, seconds=0),
                                     buffers(url, lambda: post_batch(client, batch(models)), times=5))
    return results


def timed(url, sql):
    """Milliseconds that psql waits for the last statement."""
    return float(psql(url, "\\timing on\n" + sql).rpartition("Time: ")[2].split()[0])


def retention(url):
    """What a row takes on the disk; dropping the oldest day of outcomes as a partition, deleting the oldest day of history by its index."""
    rows = int(psql(url, "SELECT count(*) FROM prompt_history"))
    outcomes = int(psql(url, "SELECT count(*) FROM request_outcomes"))
    day = psql(url, "SELECT min(relname) FROM pg_class WHERE relname ~ '^request_outcomes_[0-9]{8}$'")
    results = {
        "bytes a history row, indexes included": int(psql(url, "SELECT pg_total_relation_size('prompt_history')")) / rows,
        "bytes an outcome, indexes included": int(psql(
            url, "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'request_outcomes'::regclass")) / outcomes,
        "outcomes in the oldest day": int(psql(url, f"SELECT count(*) FROM {day}")),
        "DROP TABLE of that day, ms": timed(url, f"DROP TABLE {day};")}
    oldest = psql(url, "SELECT min(created_at) + interval '1 day' FROM prompt_history")
    results["history rows in the oldest day"] = int(psql(url, f"SELECT count(*) FROM prompt_history WHERE created_at < '{oldest}'"))
    results["DELETE of that day, ms"] = timed(url, f"DELETE FROM prompt_history WHERE created_at < '{oldest}';")
    results["VACUUM after it, ms"] = timed(url, "VACUUM prompt_history;")
    return results
