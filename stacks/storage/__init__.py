"""The buckets."""
