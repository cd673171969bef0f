"""A page of photos and paintings."""
