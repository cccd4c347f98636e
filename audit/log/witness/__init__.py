"""A small witness (C2SP tlog-witness) for another team to run: its own key, its own state, no Django, no database.

It cosigns a checkpoint of a log that it knows only if that tree contains the largest one it has cosigned before; so whoever asks it
can be shown neither a log that was set back nor two histories.
"""
