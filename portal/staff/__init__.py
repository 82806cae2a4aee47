"""What the browser pages of all areas share: layout, look, form fields, words for dates and names."""
