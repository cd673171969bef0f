"""Checkpoints: finding and loading models."""
