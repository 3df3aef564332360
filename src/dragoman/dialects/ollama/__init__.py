"""Ollama's own API: chat, generate, and both kinds of embeddings. Source: Ollama 0.33, 2026."""
