"""Playing recordings: transport and seek bar."""
