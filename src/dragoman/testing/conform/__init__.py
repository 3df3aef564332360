"""Test any model server, dialect by dialect, over the raw wire and through the official SDKs.

Nothing of our own dialects is used here: what an answer must look like is said a second time, by its rules.
"""
