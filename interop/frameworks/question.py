QUESTION = "is anybody there"
