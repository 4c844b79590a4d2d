"""The shop's front door: the page, what browsers call, and the tokens that services show one another."""
