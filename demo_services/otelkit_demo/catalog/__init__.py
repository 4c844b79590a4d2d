"""What the shop sells: read a thousand times as often as it changes, so from a cache."""
