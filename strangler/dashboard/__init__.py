"""Who serves, who owns, can I go back: one page, live, and the same in a terminal. See docs/dashboard.md."""
