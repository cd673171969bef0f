"""Labeled sheets of pictures."""
