"""The contest's zip and its rules."""
