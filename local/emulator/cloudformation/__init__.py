"""Resource types and stack operations that ministack leaves out."""
