"""The history: what runs came to, kept in one small SQLite file of the user's state folder."""
