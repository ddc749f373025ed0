"""How often graders are wrong: pairs of answers that are labelled by how they were made, and three graders on them."""
