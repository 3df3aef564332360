"""OpenAI's pictures: generations, edits and variations. Source: OpenAI OpenAPI 2.3.0, 2026."""
