"""The live run over HTTP and WebSocket: a page for browsers, and an interface for programs."""
