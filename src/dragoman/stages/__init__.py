"""Floor 3: how a call is answered: each stage wraps an `Ask`, and one that is not configured is not there."""
