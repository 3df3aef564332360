"""`python -m bench`: the table of budgets, measured on this machine beside nginx. See docs/benchmark.md."""
