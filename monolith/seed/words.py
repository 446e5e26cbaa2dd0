"""What the goods are called, and what people say about them."""

CATEGORIES = {
    "Kitchen": ["Mixing Bowl", "Chopping Board", "Teapot", "Pestle and Mortar", "Salad Servers", "Storage Jar"],
    "Garden": ["Watering Can", "Hand Trowel", "Plant Pot", "Bird Feeder", "Seed Tray", "Pruning Shears"],
    "Lighting": ["Desk Lamp", "Pendant Light", "Lantern", "Reading Lamp", "Candle Holder", "Night Light"],
    "Textiles": ["Throw Blanket", "Cushion Cover", "Tea Towel", "Table Runner", "Wool Rug", "Apron"],
    "Furniture": ["Side Table", "Stool", "Bookshelf", "Folding Chair", "Bench", "Coat Stand"],
    "Stationery": ["Notebook", "Fountain Pen", "Desk Tray", "Pencil Case", "Wall Calendar", "Letter Opener"],
    "Storage": ["Wicker Basket", "Wooden Crate", "Linen Box", "Shoe Rack", "Hanging Organiser", "Tool Chest"],
    "Bath": ["Bath Towel", "Soap Dish", "Bath Mat", "Laundry Hamper", "Shower Caddy", "Mirror"],
}
STYLES = [
    "Walnut", "Oak", "Linen", "Copper", "Slate", "Enamel", "Birch", "Stoneware", "Brass", "Recycled Glass",
    "Bamboo", "Cotton", "Terracotta", "Cast Iron", "Willow", "Beech", "Porcelain", "Felt", "Cork", "Ash",
]  # fmt: skip
USES = [
    "for small kitchens and large families", "made to be used every day", "from a workshop of four people",
    "that ages well and can be repaired", "designed to stay out of the way", "for presents that are not put away",
]  # fmt: skip
CARE = ["Wipe clean with a damp cloth.", "Wash by hand.", "Oil it once a year.", "Keep it dry when not in use."]
FIRST = [
    "ada", "ben", "carla", "dmitri", "elena", "farid", "greta", "hugo", "ines", "jonas", "kira", "leo", "mina",
    "noor", "oskar", "paula", "quinn", "rosa", "sami", "tilda", "umar", "vera", "wim", "xenia", "yusuf", "zoe",
]  # fmt: skip
PRAISE = {
    5: ["Could not be happier", "Exactly what I was looking for", "A joy every morning", "Bought a second one"],
    4: ["Very good, small remarks", "Nearly perfect", "Well made", "Good value"],
    3: ["It does what it says", "Fine, no more", "Good idea, average finish", "Smaller than I thought"],
    2: ["Expected more", "Not for everyday use", "The colour is off", "Arrived with a scratch"],
    1: ["Broke within a week", "Sent it back", "Not as pictured", "Would not buy again"],
}
REMARKS = [
    "It arrived two days early and well packed.", "The surface feels solid and the edges are clean.",
    "We use it nearly every day.", "The size is right for our flat.", "My sister asked where it was from.",
    "After three months it still looks new.", "The instructions could be clearer.", "The lid fits tightly.",
    "I wish it came in another colour.", "It is heavier than the picture suggests.",
    "Customer service answered within a day.", "For this price I would buy it again.",
]  # fmt: skip
