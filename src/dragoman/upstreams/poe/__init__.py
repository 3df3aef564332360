"""Poe: its catalogue, its OpenAI-compatible API, the files that its bots make, and what it all costs."""
