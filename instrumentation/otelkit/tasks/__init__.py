"""Tasks: what every library that queues work shares. One is sent, carries its trace and the time with it, and is run."""
