"""Floor 0: the nouns everything else is made of. Imports msgspec only, does no I/O, reads no clock."""
