"""What we are compared with: an upstream that answers at once, a plain proxy, and a proxy that verifies tokens."""

import json
import os

from .processes import Child, free_port, need, wait_for_port

# What a chat model answers, in the size and shape of a short real answer (about 470 bytes).
ANSWER = json.dumps({
    "id": "chatcmpl-9aXkQ2vGZ6f0pJcR1uYtB3sLmWdE7",
    "object": "chat.completion",
    "created": 1767225600,
    "model": "gpt-4o-2024-08-06",
    "choices": [{
        "index": 0,
        "message": {"role": "assistant", "content": "Managed identities give a program a name, so that nobody has to hand it a key."},
        "logprobs": None,
        "finish_reason": "stop",
    }],
    "usage": {"prompt_tokens": 21, "completion_tokens": 19, "total_tokens": 40},
    "system_fingerprint": "fp_44709d6fcb",
})

# What a client asks.
QUESTION = json.dumps({
    "messages": [{"role": "user", "content": "Say in one sentence what a managed identity is good for."}],
    "temperature": 0.2,
    "max_tokens": 64,
})

MODELS = json.dumps({"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "bench"} for name in ("chat", "embed")]})

NGINX = """
worker_processes {workers};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  tcp_nodelay on;
  {http}
}}
"""

UPSTREAM = """
  default_type application/json;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location ~ /models$ {{ return 200 '{models}'; }}
    location / {{ return 200 '{answer}'; }}
  }}
"""

PROXY = """
  upstream model {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
"""

# Every request: algorithm pinned, issuer, expiry and object id compared, signature verified. No cache exists in HAProxy.
HAPROXY = """
global
  nbthread {threads}
  maxconn 4096
  log stdout format raw local0 warning
defaults
  mode http
  option http-keep-alive
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend gateway
  bind 127.0.0.1:{port} backlog 1024
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')
  http-request set-var(txn.iss) http_auth_bearer,jwt_payload_query('$.iss')
  http-request set-var(txn.oid) http_auth_bearer,jwt_payload_query('$.oid')
  http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless {{ var(txn.bearer) -m found }}
  http-request deny deny_status 401 unless {{ var(txn.alg) -m str RS256 }}
  http-request deny deny_status 401 unless {{ var(txn.iss) -m str {issuer} }}
  http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
  http-request deny deny_status 403 unless {{ var(txn.oid) -m str {oid} }}
  http-request deny deny_status 401 unless {{ http_auth_bearer,jwt_verify(txn.alg,"{key}") 1 }}
  default_backend model
backend model
  http-reuse always
  server model 127.0.0.1:{upstream} maxconn 1024
"""


class Server:
    """A peer process and the port it answers on."""

    def __init__(self, name, child, port):
        self.name, self.child, self.port = name, child, port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stop()

    def cpu_seconds(self):
        return self.child.cpu_seconds()

    def rss_kib(self):
        return self.child.rss_kib()

    def tail(self):
        return self.child.tail()


def _nginx(name, folder, workers, http, port):
    folder = folder / name
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(workers=workers, folder=folder, http=http))
    child = Child([need("nginx"), "-e", folder / "error.log", "-p", folder, "-c", config], folder / "log")
    return ready(Server(name, child, port))


def ready(server, seconds=10):
    """The server, once it answers."""
    try:
        wait_for_port(server.port, seconds)
    except RuntimeError as error:
        server.child.stop()
        raise RuntimeError(f"{server.name}: {error}\n{server.child.tail()}") from error
    return server


def upstream(folder):
    """A model server that answers the same completion at once: nginx, one worker."""
    port = free_port()
    return _nginx("upstream", folder, 1, UPSTREAM.format(port=port, answer=ANSWER, models=MODELS), port)


def nginx_proxy(folder, upstream_port):
    """A plain reverse proxy: no authentication at all, so the cost of proxying alone."""
    port = free_port()
    return _nginx("nginx", folder, os.cpu_count(), PROXY.format(port=port, upstream=upstream_port), port)


def haproxy(folder, upstream_port, public_key_pem, issuer, oid):
    """HAProxy, verifying an RS256 token per request."""
    folder = folder / "haproxy"
    folder.mkdir()
    key, config, port = folder / "key.pem", folder / "haproxy.cfg", free_port()
    key.write_text(public_key_pem)
    config.write_text(HAPROXY.format(
        threads=os.cpu_count(), port=port, upstream=upstream_port, key=key, issuer=issuer, oid=oid))
    child = Child([need("haproxy"), "-db", "-f", config], folder / "log")
    return ready(Server("haproxy", child, port))
