"""A plain HTTP client that checks every exchange against an OpenAPI document."""
import http.client
import json
import re
import urllib.parse

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

METHODS = ("get", "post", "put", "patch", "delete")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Api:
    def __init__(self, base, openapi_path="/openapi.json"):
        self.address = urllib.parse.urlsplit(base).netloc
        raw = self._send("GET", openapi_path, None, {})
        assert raw.status == 200, raw.status
        self.document = raw.json()
        assert self.document["openapi"].startswith("3.1."), self.document["openapi"]
        self.registry = Registry().with_resource("urn:api", Resource(self.document, DRAFT202012))
        self.covered = set()  # (path template, method, status)
        self.prefixes = [server["url"].rstrip("/") for server in self.document["servers"]]

    def _send(self, method, target, body, headers):
        connection = http.client.HTTPConnection(self.address, timeout=90)
        try:
            connection.request(method, target, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def _templates(self, path):
        """The documented paths that fit; those without parameters go before those with."""
        found = []
        for prefix in self.prefixes:
            for template in self.document["paths"]:
                parts = re.split(r"\{[^}]+\}", template)
                if re.fullmatch("[^/]+".join(map(re.escape, parts)), path.removeprefix(prefix)) and path.startswith(prefix):
                    found.append(template)
        return sorted(set(found), key=lambda t: t.count("{"))

    def _resolve(self, node):
        while "$ref" in node:
            node = self.registry.resolver("urn:api").lookup("urn:api" + node["$ref"]).contents
        return node

    def validator(self, schema):
        # References in the document start at its root.
        text = json.dumps(schema).replace('"$ref": "#/', '"$ref": "urn:api#/')
        return Draft202012Validator(json.loads(text), registry=self.registry)

    def check_examples(self):
        def walk(node, where):
            if isinstance(node, dict):
                if "schema" in node and "example" in node:
                    problems = [e.message for e in self.validator(node["schema"]).iter_errors(node["example"])]
                    assert not problems, (where, problems)
                if "$ref" in node:
                    self._resolve(node)
                for key, value in node.items():
                    walk(value, where + "/" + key)
            elif isinstance(node, list):
                for index, value in enumerate(node):
                    walk(value, f"{where}/{index}")

        walk(self.document, "")
        for schema in self.document["components"]["schemas"].values():
            Draft202012Validator.check_schema(schema)

    def call(self, method, target, body=None, headers=None, expect=None):
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        answer = self._send(method, target, body, headers)
        label = f"{method} {target} -> {answer.status} {answer.body[:300]!r}"
        if expect is not None:
            assert answer.status == expect, f"expected {expect}: {label}"
        path = target.partition("?")[0]
        templates = self._templates(path)
        template = templates[0] if templates else None
        documented = self.document["paths"].get(template, {})
        if method.lower() in documented:
            responses = documented[method.lower()]["responses"]
            assert str(answer.status) in responses, "undocumented status: " + label
            self.covered.add((template, method.lower(), answer.status))
            response = self._resolve(responses[str(answer.status)])
        else:
            # Not in the document: it must not be in the server either, and say so in the right envelope.
            name = "NotFound" if template is None else "MethodNotAllowed"
            response = self.document["components"]["responses"][("OpenAi" if path.startswith("/v1/") else "") + name]
            assert answer.status == (404 if template is None else 405), "undocumented operation: " + label
            if template is not None:
                allowed = {m.strip().lower() for m in answer.headers["Allow"].split(",")} - {"head"}
                known = {m for m in METHODS if m in documented}
                assert allowed == known, "Allow differs from the document: " + label
        self._check(response, answer, label)
        return answer

    def _check(self, response, answer, label):
        for name, header in response.get("headers", {}).items():
            header = self._resolve(header)
            value = answer.headers.get(name)
            assert value is not None or not header.get("required"), f"no {name}: {label}"
            if value is not None:
                self.validator(header["schema"]).validate(value)
        content = response.get("content")
        if content is None:
            assert answer.body == b"", "a body that is not documented: " + label
            return
        media = answer.headers.get_content_type()
        assert media in content, f"content type {media} is not documented: {label}"
        if media == "application/json":
            self._validate(content[media]["schema"], answer.json(), label)
        elif media == "text/event-stream":
            self._check_events(content[media]["x-event-schema"], answer.body.decode(), label)
        else:
            self._validate(content[media]["schema"], answer.body.decode(), label)

    def _check_events(self, schema, text, label):
        events = [e[6:] for e in text.split("\n\n") if e.startswith("data: ")]
        assert events, "a stream without events: " + label
        failed = False
        for event in events:
            if event == "[DONE]":
                continue
            self._validate(schema, json.loads(event), label)
            failed = failed or "error" in json.loads(event)
        assert ("[DONE]" not in events) if failed else (events[-1] == "[DONE]"), "the end of the stream: " + label

    def _validate(self, schema, value, label):
        problems = [f"{e.json_path}: {e.message}" for e in self.validator(schema).iter_errors(value)]
        assert not problems, f"{problems}: {label}"

    def uncovered(self):
        seen = {(template, method) for template, method, _ in self.covered}
        return [(t, m) for t, item in self.document["paths"].items() for m in METHODS if m in item and (t, m) not in seen]
