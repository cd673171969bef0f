"""Captions and paints a job's chunks on the nodes of a Ray cluster."""
