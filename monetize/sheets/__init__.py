"""Labelled sheets of pictures."""
