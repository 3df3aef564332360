"""nginx as a plain reverse proxy: the measure of all rows, set up to be as fast as it can be on one core."""

from __future__ import annotations

import getpass
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bench.client import Target
from bench.dialect import MODEL
from bench.process import await_answer, free_port, spawned

HOW_TO_INSTALL = "nginx is not on the PATH, so there are no ratios (Debian, Ubuntu: apt install nginx-light)"

_CONFIG = """\
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    server_tokens off;
    tcp_nodelay on;
    keepalive_timeout 300s;
    keepalive_requests 10000000;
    client_max_body_size 32m;
    client_body_buffer_size 256k;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_buffer_size 16k;
    proxy_buffers 8 16k;
    upstream mock {{
        server 127.0.0.1:{mock};
        keepalive 2048;
        keepalive_requests 10000000;
        keepalive_timeout 300s;
    }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    server {{
        listen 127.0.0.1:{plain} backlog=2048;
        location / {{ proxy_pass http://mock; }}
    }}
    server {{
        listen 127.0.0.1:{stream} backlog=2048;
        location / {{ proxy_pass http://mock; proxy_buffering off; }}
    }}
}}
"""


@contextmanager
def running_nginx(folder: Path, mock: int) -> Generator[Target | None, None, None]:
    """Run nginx before the mock and yield it; nothing where it is not installed."""
    command = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if command is None:
        yield None
        return
    plain, stream = free_port(), free_port()
    # Started by root it would give up its rights and could not write to our folder.
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(user=user, folder=folder, mock=mock, plain=plain, stream=stream))
    with spawned([command, "-p", str(folder), "-c", str(config)], folder) as process:
        target = Target("nginx", plain, stream, MODEL, pid=process.pid)
        await_answer(target, process, folder, 5.0)
        yield target
