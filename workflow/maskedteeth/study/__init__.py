"""What concerns a whole study: planning, sharing, locking, moving and explaining it."""
