"""The users whom the owner of a report schedule may choose as recipients."""
