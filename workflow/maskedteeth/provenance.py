"""What callers that have not moved yet still import from here; see maskedteeth.record."""

from maskedteeth.record import RunRecord, git_commit, sha256

__all__ = ["RunRecord", "git_commit", "sha256"]
