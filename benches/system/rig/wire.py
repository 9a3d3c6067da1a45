"""A few plain HTTP calls, for setting things up and for checking answers. Not used where time is measured."""

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request


class Client:
    """Calls over HTTP, and over HTTPS with one more trusted CA."""

    def __init__(self, ca_file=None):
        context = ssl.create_default_context()
        if ca_file:
            context.load_verify_locations(ca_file)
        # No proxies: everything we call is on this machine.
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))

    def call(self, method, url, token=None, body=None, form=None, headers=None):
        """(status, body bytes). `body` is sent as JSON (bytes as they are), `form` as a form."""
        headers = dict(headers or {})
        data = None
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        try:
            with self.opener.open(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()

    def json(self, method, url, **arguments):
        """The parsed answer of a call that has to succeed."""
        status, raw = self.call(method, url, **arguments)
        if status not in (200, 201, 204):
            raise RuntimeError(f"{method} {url} answered {status}: {raw.decode(errors='replace')[:500]}")
        return json.loads(raw) if raw else {}
