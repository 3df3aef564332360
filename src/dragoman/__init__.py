"""One server, every LLM dialect in, any upstream out, nothing lost in translation."""

__version__ = "0.1.0"
