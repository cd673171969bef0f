"""Files in object stores, such as S3, and at other URLs that fsspec reads."""
