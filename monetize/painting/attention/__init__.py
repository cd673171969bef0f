"""The UNet's cross-attention: weighted and recorded."""
