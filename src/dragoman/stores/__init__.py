"""Floor 2: where the gateway keeps what it must still know later; see `core.ports.Store`."""
