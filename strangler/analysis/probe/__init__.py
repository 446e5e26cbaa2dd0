"""What a project's own interpreter runs, on request alone: plain Python from 3.8 on, with nothing of ours beside it."""
