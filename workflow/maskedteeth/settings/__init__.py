"""What can be set, what each stage gets of it, and how mistakes in it are told."""
