"""Files in object stores, such as S3, and in other places that fsspec reads and writes."""
