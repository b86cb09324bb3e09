"""Ids of effects derive from what caused them, so that a replay yields the same ids."""

import hashlib


def derive_id(*parts: str) -> str:
    """32 hex digits. Each part is preceded by its length, so that no two lists collide."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(4, "big"))
        digest.update(encoded)
    return digest.hexdigest()
