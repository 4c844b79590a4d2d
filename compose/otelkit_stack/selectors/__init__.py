"""What the query languages select by: conditions on labels, and RE2's regular expressions."""
