"""FID, KID and MiFID of a set of images."""
