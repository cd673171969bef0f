"""How the pocket models are made: the stages of scripts/train_pocket.py."""
