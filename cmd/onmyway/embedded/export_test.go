package embedded

// MostKeys is how many keys the Redis keeps.
const MostKeys = mostKeys

// Walks is walks.
var Walks = walks
