"""HTTP and WebSocket handlers. They check input and access; the services do the work."""
