"""How the window looks: colors, icons, and the small widgets that all panels share."""
