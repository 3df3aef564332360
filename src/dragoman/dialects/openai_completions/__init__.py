"""OpenAI's legacy text completions. Source: OpenAI API reference, 2026."""
