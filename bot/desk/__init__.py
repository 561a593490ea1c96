"""What the DPO can do, independent of where it is typed: cards, actions and their words."""
