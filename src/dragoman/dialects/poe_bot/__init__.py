"""Poe's bot protocol, in which the apps of Poe ask the servers of bots, and anybody with a key asks any bot."""
