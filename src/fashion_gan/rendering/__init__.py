"""Arrays to pictures and plots."""
