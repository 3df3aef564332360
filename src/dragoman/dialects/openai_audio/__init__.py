"""OpenAI's sounds: speech, transcriptions and translations. Source: OpenAI OpenAPI 2.3.0, 2026."""
