"""Checkpoints: from a name to loaded models."""
