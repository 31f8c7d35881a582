"""From what was typed to a checked request: schema, run hash, components, refusals, Hydra."""
