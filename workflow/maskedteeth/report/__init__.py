"""Tables and figures, from finished CSV and NPZ files alone."""
