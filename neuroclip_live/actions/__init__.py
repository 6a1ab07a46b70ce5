"""When something is seen for long enough, something is done: a command, a webhook, a sound, a recording."""
