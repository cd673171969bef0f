"""Prompts to paintings."""
