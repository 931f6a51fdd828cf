"""Test cases for the checks of exercises: HTTP, WebSocket, commands and services."""
