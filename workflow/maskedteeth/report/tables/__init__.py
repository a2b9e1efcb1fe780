"""A file a table; each is written as CSV, Markdown and LaTeX."""
