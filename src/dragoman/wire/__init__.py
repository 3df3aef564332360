"""Wire formats below any dialect, without I/O."""
