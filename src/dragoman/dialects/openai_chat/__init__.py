"""OpenAI chat completions: the dialect most programs speak. Source: OpenAI API reference and SDK behaviour, 2026."""
