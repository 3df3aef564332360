"""The server: the HTTP edge and what is mounted on it."""
