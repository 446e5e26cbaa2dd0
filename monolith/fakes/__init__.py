"""Stand-ins for what a shop buys from others, as processes of their own."""
