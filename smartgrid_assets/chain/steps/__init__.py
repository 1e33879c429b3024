"""The steps of the night, in the data's order; each file ends in its STEP or STEPS."""
