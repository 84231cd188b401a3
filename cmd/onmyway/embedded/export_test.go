package embedded

// MostKeys is how many keys the Redis keeps.
const MostKeys = mostKeys
