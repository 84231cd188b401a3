// Package redisstore is everything that Onmyway keeps in Redis: the cache that Intake asks before SQL, and the bus on
// which a node shows its publications to the sockets of all other nodes. It is the only import of go-redis.
//
// Redis may be slow, empty or gone at any moment. Then everything is slower and nothing is wrong: the cache never
// decides, it only spares SQL a question, and whoever may have missed a publication is told so and reads it over REST.
// Every key and channel carries the epoch of the SQL database, so a restored or replaced database starts with an empty
// cache instead of believing the old one.
package redisstore
