"""Resources and stack operations that ministack leaves out."""
