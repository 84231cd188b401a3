// Package embedded runs the engines that are not configured inside the process, so that Onmyway works with nothing
// installed: Kafka (kfake, with its log on disk) and Redis (miniredis, in memory). SQLite, the third one, is sqlstore's.
//
// They are for trying things out, for tests and for small installations on one machine. They listen on loopback only:
// neither asks who is calling. Redis forgets what it was to remember for hours when it has more than 100,000 keys: it is a cache.
package embedded
