"""Speed: our training loop, the loop most people write, and what the machine could do."""
