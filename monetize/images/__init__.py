"""Images: photos in, paintings out, and their colors."""
