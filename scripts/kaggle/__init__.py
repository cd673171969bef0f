"""Monetize in a Kaggle notebook without internet: what to upload, and the notebook."""
