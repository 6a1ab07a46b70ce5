"""Events over TCP, TLS or a UNIX socket."""
