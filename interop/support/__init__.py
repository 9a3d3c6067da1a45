"""What the tests stand on: a running system, an operator, an upstream, and a memory of every secret seen."""
