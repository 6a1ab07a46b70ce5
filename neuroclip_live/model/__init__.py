"""Models: where they come from, what runs them, and how frames and words become features and scores."""
