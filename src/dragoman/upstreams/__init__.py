"""Floor 3: whom we call: each upstream is an `Ask` for each of its models."""
