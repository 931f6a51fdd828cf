"""What answers requests: each file holds the handlers of one part of the chat."""
