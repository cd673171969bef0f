"""Photos to captions."""
