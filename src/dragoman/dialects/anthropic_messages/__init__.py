"""Anthropic Messages, the client side: both versions of the API, and the counting of tokens. Source: Claude platform
documentation and the `anthropic` SDK 2.11, 2026."""
