"""What people see of replies: text measured in cells, tables laid out for a width, lines painted for a terminal."""
