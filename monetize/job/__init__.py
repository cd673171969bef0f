"""A whole job: photos to a zip, resumable."""
