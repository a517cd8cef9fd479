"""What the exercises share: a training with every step recorded, numbers for the facts, and panels."""
