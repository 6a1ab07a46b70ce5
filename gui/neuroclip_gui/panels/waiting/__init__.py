"""What is seen while a camera or a server is waited for."""
