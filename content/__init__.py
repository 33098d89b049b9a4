"""What is asked and said, and the code that defines its shape. Imports nothing of ours."""
