"""Run llama.cpp's HTTP server on a free port: says where it listens, and serves until it is ended.

It runs in an environment of its own: `serve.py FILE`, where FILE is the model.
"""

import signal
import sys

import xllamacpp


def start(file: str) -> xllamacpp.Server:
    """Return the server; it listens when this returns."""
    params = xllamacpp.CommonParams()
    params.model.path = file
    params.model_alias = {"tiny"}
    params.embedding = True
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_threads_http = 4
    params.sampling.seed = 1  # the same question has the same answer,
    params.cache_prompt = False  # whatever was asked before
    params.enable_reasoning = 0  # it thinks when it is asked to
    params.ui = False
    return xllamacpp.Server(params)


if __name__ == "__main__":
    server = start(sys.argv[1])
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    signal.pause()
