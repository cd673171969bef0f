"""The stages of scripts/train_pocket.py, which trains the pocket models."""
