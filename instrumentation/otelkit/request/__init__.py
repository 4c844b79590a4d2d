"""What one inbound request is: its state, its route, its streamed body, and what is recorded when it ends."""
