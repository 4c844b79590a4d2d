"""What every service of the shop is built on: its database, its problem bodies, its probes. It knows no service."""
