"""Prompts: their weights, sweeps and tokens."""
