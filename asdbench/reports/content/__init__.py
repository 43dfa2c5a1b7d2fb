"""What is shown, as data: tables, notes, the leaderboard. No text format, no colours."""
