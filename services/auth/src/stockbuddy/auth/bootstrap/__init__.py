"""The first admin: who may make one while there is none."""
