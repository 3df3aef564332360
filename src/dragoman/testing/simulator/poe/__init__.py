"""Poe, pretended: REST, usage, the bot protocol, uploads and the files behind them, each below a path of its own.

Source of all wire facts: Poe's documentation (editions of 2025 and 2026), recorded traffic of Poe's own SDK provider
(February to April 2026) and fastapi_poe 0.0.83.
"""
