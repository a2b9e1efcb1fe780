"""The pretext task: Random Block Masking, guided by Sobel edges (section 3.2)."""
